"""Which images a run is told the class of, and on which its error is measured."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebgan.data import UNKNOWN, Images, Packed, draw_labelled, matched
from ebgan.errors import DataError
from ebgan.experiment import Data, Experiment
from ebgan.randomness import Randomness

VALIDATED = 10_000  # images that settings are chosen on, at most


class LabelledSplit(NamedTuple):
    """The labelled images of a run, and those that it is tested on."""

    labelled: Tensor  # [*models, count] places in the data
    tested: Packed  # images with their labels
    source: str  # where they are from, in words


def split(experiment: Experiment, data: Packed, randomness: Randomness) -> LabelledSplit:
    """The labelled images that an experiment draws from its data, by the seed, and its test images.

    Without a test set, tested are images of the data whose class is known and is not told. Raises UsageError where the
    labelled images cannot be drawn, and DataError where none is left to test on.
    """
    settings = experiment.labelled
    indices = draw_labelled(data, settings.count, randomness)
    apart, message = test_set(experiment.data, data)
    if apart is not None:
        return LabelledSplit(indices, apart, f"{len(apart):,} images of the test set{message}")
    if settings.count is None:
        indices = _kept(data, indices, 1 - settings.held_out)
    rest = _others(data, indices.cpu().numpy())
    if not rest.size:
        raise DataError(
            f"{data.name}: no image with a label is left to measure the error on: label more images, lower "
            "labelled.count, raise labelled.held_out, or keep images for testing in a folder `test` beside `train`"
        )
    return LabelledSplit(
        indices, _chosen(data, rest), f"{len(rest):,} images of the data whose class was not told{message}"
    )


def test_set(spec: Data, data: Images) -> tuple[Packed | None, str]:
    """The source's own test images of the classes of the data, if there are any, and what is to be said of others.

    Raises DataError if they are damaged.
    """
    test = spec.open_test(data.shape[0])
    if test is None:
        return None, ""
    if test.shape != data.shape:
        return None, ", as the images of the test set have another shape"
    apart, message = matched(test, data.classes)
    if apart is None:
        return None, f", as the test set serves for none: {message}"
    return apart, f"; {message}" if message else ""


def told(data: Packed, labelled: Tensor) -> Packed:
    """The labelled images alone, with their labels."""
    return _chosen(data, labelled.flatten().cpu().numpy())


def untold(data: Packed, labelled: Tensor) -> Packed | None:
    """Images of the data whose class is known and was not told, some thousands at most, with their labels."""
    rest = _others(data, labelled.cpu().numpy())
    indices = Randomness.of(0).permutation("untold", len(rest))[:VALIDATED].numpy()
    return _chosen(data, rest[indices]) if rest.size else None


def _kept(data: Packed, indices: Tensor, share: float) -> Tensor:
    """A share of the places [*models, count] of each class, one at least, in their order."""
    assert data.labels is not None
    labels = torch.tensor(data.labels, device=indices.device)[indices]
    kept = torch.zeros_like(labels, dtype=torch.bool)
    for name in range(len(data.classes)):
        own = labels == name
        most = max(1, round(int((data.labels == name).sum()) * share))
        kept |= own & (own.cumsum(-1) <= most)
    return indices[kept].reshape(*indices.shape[:-1], -1)


def _others(data: Packed, labelled: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of images whose class is known and that no model is told."""
    assert data.labels is not None
    known = np.flatnonzero(data.labels != UNKNOWN)
    return np.setdiff1d(known, labelled)


def _chosen(data: Packed, indices: NDArray[np.int64]) -> Packed:
    assert data.labels is not None
    names = None if data.names is None else tuple(data.names[index] for index in indices)
    return replace(data, images=data.images[indices], labels=data.labels[indices], names=names, path=None)
