"""The labelled images of a run, and the images on which its error is measured."""

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

VALIDATED = 10_000  # most images for choosing settings


class LabelledSplit(NamedTuple):
    """The labelled images of a run, and its test images."""

    labelled: Tensor  # [*models, count] indices in the data
    tested: Packed  # images with their labels
    source: str  # the source of `tested`, in words


def split(experiment: Experiment, data: Packed, randomness: Randomness) -> LabelledSplit:
    """Draw the labelled images from the data, by the seed, and choose the test images.

    Without a test set, it tests on images of the data whose label is known but not used. Raises UsageError if the
    labelled images cannot be drawn, and DataError if no image is left to test on.
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
        indices, _chosen(data, rest), f"{len(rest):,} images of the data whose labels were not used{message}"
    )


def test_set(spec: Data, data: Images) -> tuple[Packed | None, str]:
    """The source's own test images of the data's classes, if there are any, and a message about others.

    Raises DataError if they are damaged.
    """
    test = spec.open_test(data.shape[0])
    if test is None:
        return None, ""
    if test.shape != data.shape:
        return None, ", as the images of the test set have another shape"
    apart, message = matched(test, data.classes)
    if apart is None:
        return None, f", as the test set cannot be used: {message}"
    return apart, f"; {message}" if message else ""


def told(data: Packed, labelled: Tensor) -> Packed:
    """Only the labelled images, with their labels."""
    return _chosen(data, labelled.flatten().cpu().numpy())


def untold(data: Packed, labelled: Tensor) -> Packed | None:
    """Images whose label is known but not used, at most VALIDATED, with their labels."""
    rest = _others(data, labelled.cpu().numpy())
    indices = Randomness.of(0).permutation("untold", len(rest))[:VALIDATED].numpy()
    return _chosen(data, rest[indices]) if rest.size else None


def _kept(data: Packed, indices: Tensor, share: float) -> Tensor:
    """A share of the indices [*models, count] of each class, at least one, in order."""
    assert data.labels is not None
    labels = torch.tensor(data.labels, device=indices.device)[indices]
    kept = torch.zeros_like(labels, dtype=torch.bool)
    for name in range(len(data.classes)):
        own = labels == name
        most = max(1, round(int((data.labels == name).sum()) * share))
        kept |= own & (own.cumsum(-1) <= most)
    return indices[kept].reshape(*indices.shape[:-1], -1)


def _others(data: Packed, labelled: NDArray[np.int64]) -> NDArray[np.int64]:
    """The indices of images whose label is known and that no model is trained on."""
    assert data.labels is not None
    known = np.flatnonzero(data.labels != UNKNOWN)
    return np.setdiff1d(known, labelled)


def _chosen(data: Packed, indices: NDArray[np.int64]) -> Packed:
    assert data.labels is not None
    names = None if data.names is None else tuple(data.names[index] for index in indices)
    return replace(data, images=data.images[indices], labels=data.labels[indices], names=names, path=None)
