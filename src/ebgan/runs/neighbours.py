"""Test whether a generator memorises its data: the nearest training image of each sample, in pixels and features.

Memorised samples are nearer to a training image than new images would be. The distance of new images is estimated from
real images, each compared with all other images of the data. Features are those below the run's energy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from PIL.Image import Image
from torch import Tensor

from ebgan.data import Images, scaled
from ebgan.metrics import Measurement, Nearest, nearest
from ebgan.randomness import Randomness
from ebgan.report import gallery, grid
from ebgan.runs.examiners.base import METRIC_SEED
from ebgan.runs.run import Run

COUNT = 500  # samples compared with the data, and most real images
SHOWN = 12  # samples, and real images, in the picture
_COLUMNS = 4  # of the picture
_SIDE = 80  # smallest side of an image in it, in pixels
_PIECE = 1 << 22  # pixels of the data compared at a time


class Neighbours(NamedTuple):
    """Samples and real images, each with its nearest neighbour in the data, excluding itself."""

    images: Tensor  # [samples + reals, C, H, W] in [-1, 1], the samples first
    samples: int
    pixels: Nearest
    features: Nearest


def find_neighbours(run: Run, data: Images) -> Neighbours:
    """Find the neighbours of fresh samples and of uniformly drawn real images.

    Raises DataError for other data than the run was trained on.
    """
    run.check_data(data)
    samples = run.sample(COUNT, seed=METRIC_SEED, source=run.sources(COUNT, data, seed=METRIC_SEED))
    indices = Randomness.of(METRIC_SEED).permutation("held-out images", len(data))[:COUNT]
    images = torch.cat((samples, _images(data, indices)))
    own = torch.cat((torch.full((COUNT,), -1), indices))
    pixels = nearest(images.flatten(1), (piece.flatten(1) for piece in _pieces(data)), own)
    features = nearest(run.encode(images), (run.encode(piece) for piece in _pieces(data)), own)
    return Neighbours(images, COUNT, pixels, features)


def measure(found: Neighbours) -> Measurement:
    """The median distances of samples and of real images from their nearest neighbours."""
    metrics = {}
    for name, (distance, _) in (("pixel_distance", found.pixels), ("feature_distance", found.features)):
        metrics[name] = float(distance[: found.samples].median())
        metrics[f"{name}_real"] = float(distance[found.samples :].median())
    protocol: dict[str, str | int | float] = {
        "neighbours_of": f"{found.samples} samples, {len(found.images) - found.samples} real images held out in turn",
        "neighbour_features": "below the run's energy",
    }
    return Measurement(metrics, [], protocol)


_CAPTION = (
    "Each group: an image, the nearest of the data in pixels, the nearest in features; above them these two distances. "
    f"First the {SHOWN} samples nearest to the data, then the {SHOWN} real images nearest to others."
)


def picture(found: Neighbours, data: Images) -> Image:
    """A picture of the samples nearest to the data in pixels, then of the nearest real images, nearest first.

    Each cell has the image, its neighbour in pixels and its neighbour in features, below the two distances.
    """
    cells = []
    for name, first, last in (("sample", 0, found.samples), ("real", found.samples, len(found.images))):
        order = found.pixels.distance[first:last].argsort()[:SHOWN] + first
        for place in order.tolist():
            caption = f"{name} {found.pixels.distance[place]:.2f} {found.features.distance[place]:.2f}"
            cells.append((caption, _triple(found, place, data)))
    return gallery(cells, _COLUMNS, _CAPTION)


def _triple(found: Neighbours, place: int, data: Images) -> Image:
    near = torch.stack((found.pixels.place[place], found.features.place[place]))
    scale = math.ceil(_SIDE / max(data.shape[1:]))
    return grid(torch.cat((found.images[place, None], _images(data, near))), columns=3, scale=scale)


def _images(data: Images, indices: Tensor) -> Tensor:
    return scaled(torch.from_numpy(data.images[indices.numpy()]), (-1.0, 1.0))


def _pieces(data: Images) -> Iterator[Tensor]:
    """All images of the data in order, some at a time."""
    for indices in torch.split(torch.arange(len(data)), max(1, _PIECE // data.images[0].size)):
        yield _images(data, indices)
