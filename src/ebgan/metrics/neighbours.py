"""Precision, recall, density and coverage: the overlap of the distributions of samples and real images.

    B(x)        the ball around x that reaches to the k-th nearest other row of its set
    precision   share of the samples that lie in any B(real)                       (Kynkaanniemi et al., 2019)
    recall      share of the real images that lie in any B(sample)
    density     mean number of B(real) that a sample lies in, divided by k         (Naeem et al., 2020)
    coverage    share of the B(real) that contain a sample

For two large sets from one distribution, density is 1 and coverage 1 - 2^-k on average; density exceeds 1 if samples
concentrate where real images are dense. All four depend on the numbers of rows, so compare equal numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ebgan.errors import DataError
from ebgan.metrics.features import check_features

_ROWS = 1000  # rows whose distances to a whole set are in memory at a time


class Overlap(NamedTuple):
    """The overlap of samples and real images."""

    precision: float
    recall: float
    density: float
    coverage: float


class OverlapReference(NamedTuple):
    """The real features' part of the four numbers, for any number of sets of samples."""

    rows: Tensor  # [reals, width] float64
    radii: Tensor  # [reals] float64, of their balls
    nearest: int

    @classmethod
    def of(cls, real: Float[Tensor, "reals width"], nearest: int = 5) -> OverlapReference:
        """The balls of real features. Raises DataError unless there are more than `nearest` rows, all finite."""
        check_features("real", real)
        rows = real.double()
        return cls(rows, _radii(rows, nearest), nearest)

    def overlap(self, fake: Float[Tensor, "fakes width"]) -> Overlap:
        """The four numbers of samples' features. Raises DataError as `of` does."""
        check_features("fake", fake)
        fake = fake.double()
        fake_radii = _radii(fake, self.nearest)
        depth = torch.zeros(len(fake), dtype=torch.float64, device=fake.device)  # balls of real images a sample is in
        covered, recalled = [], []
        for rows, radii in zip(torch.split(self.rows, _ROWS), torch.split(self.radii, _ROWS), strict=True):
            distances = torch.cdist(rows, fake)
            holds = distances < radii[:, None]
            depth += holds.sum(0)
            covered.append(holds.any(-1))
            recalled.append((distances < fake_radii).any(-1))
        precision, recall = _share(depth > 0), _share(torch.cat(recalled))
        return Overlap(precision, recall, float(depth.mean()) / self.nearest, _share(torch.cat(covered)))


def overlap(real: Float[Tensor, "reals width"], fake: Float[Tensor, "fakes width"], *, nearest: int = 5) -> Overlap:
    """The four numbers with k = `nearest`, of distances in float64.

    A ball does not include its boundary, as in Naeem et al.'s code, so the density of a set in itself is 1. Raises
    DataError unless both sets have more than `nearest` rows, all finite.
    """
    return OverlapReference.of(real, nearest).overlap(fake)


def _radii(rows: Tensor, nearest: int) -> Tensor:
    """The radius of each row's ball [rows]; the row itself, at distance 0, is the first of its neighbours."""
    if len(rows) <= nearest:
        raise DataError(f"overlap: {len(rows)} rows of features, of which none has {nearest} others: pass more images")
    return torch.cat([torch.cdist(some, rows).kthvalue(nearest + 1).values for some in torch.split(rows, _ROWS)])


def _share(true: Tensor) -> float:
    return float(true.double().mean())
