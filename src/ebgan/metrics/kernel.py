"""The kernel distance between two sets of features (Binkowski et al., 2018).

    MMD^2 with k(x, y) = (x.y / width + 1)^3, unbiased, averaged over random subsets

On the features of InceptionV3 it is the KID. Unlike the Fréchet distance it does not depend on the sample count. The
mean of k over pairs of real rows is the same for all samples, and is computed once.
"""

from __future__ import annotations

from statistics import fmean
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ebgan.metrics.features import check_features


class _Subset(NamedTuple):
    """One draw of rows from both sets."""

    real: Tensor  # [rows] indices of real rows
    fake: Tensor  # [rows] indices of samples
    within: float  # mean of k over pairs of different real rows


class KernelReference(NamedTuple):
    """The real features' part of the distance, for sets of samples of one size."""

    features: Tensor  # [reals, width] float32
    fakes: int  # number of samples compared with it
    subsets: tuple[_Subset, ...]

    @classmethod
    def of(
        cls, real: Float[Tensor, "reals width"], fakes: int, *, subset: int = 1000, subsets: int = 100, seed: int = 0
    ) -> KernelReference:
        """Draw the rows of all subsets, and compute the part of the distance that depends only on real rows.

        Rows are drawn in torchmetrics' order: for each subset the real rows, then the samples. Raises DataError for
        fewer than 2 real rows, or rows that are not finite.
        """
        check_features("real", real)
        assert fakes >= 2
        features, size = real.float(), min(subset, len(real), fakes)
        generator = torch.Generator().manual_seed(seed)
        sets = (len(real), fakes)
        draws = [[torch.randperm(rows, generator=generator)[:size] for rows in sets] for _ in range(subsets)]
        return cls(features, fakes, tuple(_Subset(own, other, _within(features[own])) for own, other in draws))

    def distance(self, fake: Float[Tensor, "fakes width"]) -> float:
        """The distance to the features of `fakes` samples. Raises DataError as `of` does."""
        check_features("fake", fake)
        assert len(fake) == self.fakes
        features = fake.float()
        return fmean(self._distance(features, subset) for subset in self.subsets)

    def _distance(self, fake: Tensor, subset: _Subset) -> float:
        drawn = fake[subset.fake]
        between = _sum(_kernel(self.features[subset.real], drawn)) / len(drawn) ** 2
        return subset.within + _within(drawn) - 2 * between


def kernel_distance(
    real: Float[Tensor, "reals width"],
    fake: Float[Tensor, "fakes width"],
    *,
    subset: int = 1000,
    subsets: int = 100,
    seed: int = 0,
) -> float:
    """The distance over `subsets` draws of `subset` rows (fewer if a set is smaller).

    It is about 0, and may be negative, for sets from one distribution. The same seed draws the same rows. Products are
    in float32 and sums in float64, for an error of about 1e-7 of the mean of k.
    """
    check_features("fake", fake)
    return KernelReference.of(real, len(fake), subset=subset, subsets=subsets, seed=seed).distance(fake)


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ (y.T / x.shape[-1])).add_(1).pow_(3)


def _within(rows: Tensor) -> float:
    """The mean of k over pairs of different rows."""
    kernel = _kernel(rows, rows)
    return (_sum(kernel) - _sum(kernel.diagonal())) / (len(rows) * (len(rows) - 1))


def _sum(values: Tensor) -> float:
    return float(values.sum(dtype=torch.float64))
