"""A set of points drawn from a toy density, used like a set of images: each point is a float image [dims, 1, 1]."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from ebgan.data.toy import TOYS, Density
from ebgan.errors import DataError
from ebgan.randomness import Randomness

TRAINING_POINTS = 100_000  # as in the protocol of PacGAN and VEEGAN


@final
@dataclass(frozen=True, eq=False)
class Points:
    """Points drawn from a density with a fixed seed, so the set does not depend on the run's seed."""

    density: Density
    name: str = "points"
    count: int = TRAINING_POINTS

    labels: None = None
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.count

    @property
    def shape(self) -> tuple[int, int, int]:
        """(dims, 1, 1), in place of channels, height and width of an image."""
        return self.density.centres.shape[-1], 1, 1

    @cached_property
    def images(self) -> NDArray[np.float32]:
        """The points, float32 [N, dims, 1, 1]."""
        points: NDArray[np.float32] = self.density.sample(Randomness.of(0), self.count).numpy()
        return points[..., None, None]

    @property
    def checksum(self) -> str:
        """SHA-256 of density and count, in hexadecimal; the points themselves may differ in last bits by processor."""
        return hashlib.sha256(f"{self.density} {self.count}".encode()).hexdigest()


def open_points(source: str) -> Points:
    """The points of a toy density, one of `TOYS`. Raises DataError, with the names, for another."""
    if source not in TOYS:
        raise DataError(f"{source}: no toy of that name; expected one of {', '.join(TOYS)}")
    return Points(TOYS[source], source)
