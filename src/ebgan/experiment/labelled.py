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


class Split(NamedTuple):
    """The labelled images of a run, and those that it is tested on."""

    labelled: Tensor  # [*models, count] places in the data
    tested: Packed  # images with their labels
    source: str  # where they are from, in words


def split(experiment: Experiment, data: Packed, randomness: Randomness) -> Split:
    """The labelled images that an experiment draws from its data, by the seed, and its test images.

    Without a test set, tested are images of the data whose class is known and is not told. Raises UsageError where the
    labelled images cannot be drawn, and DataError where none is left to test on.
    """
    settings = experiment.labelled
    places = draw_labelled(data, settings.count, randomness)
    apart, said = test_set(experiment.data, data)
    if apart is not None:
        return Split(places, apart, f"{len(apart):,} images of the test set{said}")
    if settings.count is None:
        places = _kept(data, places, 1 - settings.held_out)
    rest = _others(data, places.cpu().numpy())
    if not rest.size:
        raise DataError(
            f"{data.name}: no image with a label is left to measure the error on: label more images, lower "
            "labelled.count, raise labelled.held_out, or keep images for testing in a folder `test` beside `train`"
        )
    return Split(places, _chosen(data, rest), f"{len(rest):,} images of the data whose class was not told{said}")


def test_set(spec: Data, data: Images) -> tuple[Packed | None, str]:
    """The source's own test images of the classes of the data, if there are any, and what is to be said of others.

    Raises DataError if they are damaged.
    """
    test = spec.open_test(data.shape[0])
    if test is None:
        return None, ""
    if test.shape != data.shape:
        return None, ", as the images of the test set have another shape"
    apart, said = matched(test, data.classes)
    if apart is None:
        return None, f", as the test set serves for none: {said}"
    return apart, f"; {said}" if said else ""


def told(data: Packed, labelled: Tensor) -> Packed:
    """The labelled images alone, with their labels."""
    return _chosen(data, labelled.flatten().cpu().numpy())


def untold(data: Packed, labelled: Tensor) -> Packed | None:
    """Images of the data whose class is known and was not told, some thousands at most, with their labels."""
    rest = _others(data, labelled.cpu().numpy())
    places = Randomness.of(0).permutation("untold", len(rest))[:VALIDATED].numpy()
    return _chosen(data, rest[places]) if rest.size else None


def _kept(data: Packed, places: Tensor, share: float) -> Tensor:
    """A share of the places [*models, count] of each class, one at least, in their order."""
    assert data.labels is not None
    labels = torch.tensor(data.labels, device=places.device)[places]
    kept = torch.zeros_like(labels, dtype=torch.bool)
    for name in range(len(data.classes)):
        own = labels == name
        most = max(1, round(int((data.labels == name).sum()) * share))
        kept |= own & (own.cumsum(-1) <= most)
    return places[kept].reshape(*places.shape[:-1], -1)


def _others(data: Packed, labelled: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of images whose class is known and that no model is told."""
    assert data.labels is not None
    known = np.flatnonzero(data.labels != UNKNOWN)
    return np.setdiff1d(known, labelled)


def _chosen(data: Packed, places: NDArray[np.int64]) -> Packed:
    assert data.labels is not None
    names = None if data.names is None else tuple(data.names[place] for place in places)
    return replace(data, images=data.images[places], labels=data.labels[places], names=names, path=None)
