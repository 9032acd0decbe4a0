"""The Fréchet distance between Gaussians fitted to two sets of features (Heusel et al., 2017).

    |mu - mu'|^2 + tr(S + S' - 2 (S S')^(1/2))

The eigenvalues of S S' are those of the symmetric S^(1/2) S' S^(1/2), so S^(1/2) of the real features is computed only
once. On the features of InceptionV3 the distance is the FID; on other features it has another name, because the numbers
cannot be compared.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ebgan.metrics.features import check_features


class FrechetReference(NamedTuple):
    """The real features' part of the distance, in float64, for any number of sets of samples."""

    mean: Tensor  # [width]
    root: Tensor  # [width, width], the square root of the covariance
    variance: Tensor  # [], the trace of the covariance

    @classmethod
    def of(cls, real: Float[Tensor, "reals width"]) -> FrechetReference:
        """The Gaussian of real features. Raises DataError for fewer than 2 rows and for rows that are not finite."""
        check_features("real", real)
        mean, covariance = _moments(real)
        values, vectors = torch.linalg.eigh(covariance)
        return cls(mean, vectors * values.clamp(min=0).sqrt() @ vectors.T, covariance.trace())

    def distance(self, fake: Float[Tensor, "fakes width"]) -> float:
        """The distance to samples' features. Raises DataError as `of` does."""
        check_features("fake", fake)
        mean, covariance = _moments(fake)
        values = torch.linalg.eigvalsh(self.root @ covariance @ self.root)
        shared = values.clamp(min=0).sqrt().sum()  # tr (S S')^(1/2); rounding makes an eigenvalue of 0 negative
        distance = (mean - self.mean).square().sum() + self.variance + covariance.trace() - 2 * shared
        return max(0.0, float(distance))  # rounding makes it negative for equal sets


def frechet_distance(real: Float[Tensor, "reals width"], fake: Float[Tensor, "fakes width"]) -> float:
    """The distance, in float64; 0 for equal means and covariances, larger for fewer samples. Needs 2 of each."""
    return FrechetReference.of(real).distance(fake)


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """The mean [width] and the unbiased covariance [width, width], in float64."""
    rows = features.double()
    return rows.mean(0), rows.T.cov()
