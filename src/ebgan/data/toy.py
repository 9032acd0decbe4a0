"""Toy densities with known modes, in one and two dimensions.

    line       uniform on [-1, 1]; its modes are ten cells of equal length
    gaussian   N(1, 0.5^2)
    ring       8 Gaussians on a circle of radius 1, sigma 0.01               (Lin et al., PacGAN, 2018)
    grid       25 Gaussians at {-4, -2, 0, 2, 4}^2, sigma 0.05               (the same)
    moons      two half circles that interlock, as a chain of 100 Gaussians, sigma 0.05
    roll       a spiral of one and a half turns, as a chain of 150 Gaussians, sigma 0.05

The Gaussians of a chain are closer to each other than they are wide, so the curve looks smooth and its density is still
known exactly.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from ebgan.randomness import Randomness

Place = tuple[float, ...]  # a point, one coordinate per dimension


class Density(ABC):
    """A density to sample from. Subclasses are final, frozen dataclasses."""

    @property
    @abstractmethod
    def centres(self) -> Tensor:
        """The modes [modes, dims], which have equal weights."""

    @property
    @abstractmethod
    def reach(self) -> float:
        """The largest distance from the nearest mode at which a sample counts as high quality."""

    @abstractmethod
    def sample(self, randomness: Randomness, count: int, first: int = 0) -> Tensor:
        """The points number first, first + 1, ... of the sequence that the seed defines: [*models, count, dims]."""

    @abstractmethod
    def log_density(self, points: Tensor) -> Tensor:
        """The exact log-density [...] at points [..., dims]."""

    @property
    def window(self) -> tuple[float, float]:
        """A plotting range, the same in each dimension, that contains nearly all points."""
        low, high = float(self.centres.min()) - self.reach, float(self.centres.max()) + self.reach
        space = 0.2 * (high - low)
        return low - space, high + space


@final
@dataclass(frozen=True, kw_only=True)
class Mixture(Density):
    """A mixture of isotropic Gaussians with one standard deviation and equal weights."""

    places: tuple[Place, ...]
    sigma: float

    @property
    def centres(self) -> Tensor:
        return torch.tensor(self.places)

    @property
    def reach(self) -> float:
        return 3 * self.sigma

    def sample(self, randomness: Randomness, count: int, first: int = 0) -> Tensor:
        centres = self.centres.to(randomness.seeds.device)
        share = randomness.uniform("mode", count, first=first)  # in (0, 1]
        mode = (share * len(centres)).ceil().long() - 1
        return centres[mode] + self.sigma * randomness.normal("point", count, centres.shape[-1], first=first)

    def log_density(self, points: Tensor) -> Tensor:
        centres = self.centres.to(points)
        distance = (points[..., None, :] - centres).square().sum(-1) / (2 * self.sigma**2)
        peak = centres.shape[-1] * math.log(self.sigma * math.sqrt(math.tau)) + math.log(len(centres))
        return torch.logsumexp(-distance, -1) - peak


@final
@dataclass(frozen=True, kw_only=True)
class Line(Density):
    """The uniform density on a segment, in one dimension."""

    low: float = -1.0
    high: float = 1.0
    cells: int = 10  # of equal length, which count as its modes

    @property
    def centres(self) -> Tensor:
        return self.low + (torch.arange(self.cells)[:, None] + 0.5) * 2 * self.reach

    @property
    def reach(self) -> float:
        return (self.high - self.low) / self.cells / 2

    def sample(self, randomness: Randomness, count: int, first: int = 0) -> Tensor:
        return self.low + (self.high - self.low) * randomness.uniform("point", count, 1, first=first)

    def log_density(self, points: Tensor) -> Tensor:
        inside = ((points >= self.low) & (points <= self.high)).all(-1)
        return torch.where(inside, -math.log(self.high - self.low), -math.inf)


def _ring(count: int, radius: float) -> tuple[Place, ...]:
    angles = (math.tau * index / count for index in range(count))
    return tuple((radius * math.cos(angle), radius * math.sin(angle)) for angle in angles)


def _moons(count: int) -> tuple[Place, ...]:
    angles = [math.pi * (index + 0.5) / count for index in range(count)]
    upper = tuple((math.cos(angle), math.sin(angle)) for angle in angles)
    return upper + tuple((1 - x, 0.5 - y) for x, y in upper)


def _roll(count: int, inner: float = 1.5 * math.pi, outer: float = 4.5 * math.pi) -> tuple[Place, ...]:
    """Points on the spiral of radius angle / 10, about equally spaced (its arc length grows nearly with angle^2)."""
    shares = ((index + 0.5) / count for index in range(count))
    angles = (math.sqrt(inner**2 + share * (outer**2 - inner**2)) for share in shares)
    return tuple((angle / 10 * math.cos(angle), angle / 10 * math.sin(angle)) for angle in angles)


_STEPS = (-4.0, -2.0, 0.0, 2.0, 4.0)
TOYS: dict[str, Density] = {
    "toy.line": Line(),
    "toy.gaussian": Mixture(places=((1.0,),), sigma=0.5),
    "toy.ring": Mixture(places=_ring(8, 1.0), sigma=0.01),
    "toy.grid": Mixture(places=tuple((x, y) for x in _STEPS for y in _STEPS), sigma=0.05),
    "toy.moons": Mixture(places=_moons(50), sigma=0.05),
    "toy.roll": Mixture(places=_roll(150), sigma=0.05),
}
