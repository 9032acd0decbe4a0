"""Sets of features, which distances between real and generated images are computed on."""

from __future__ import annotations

from torch import Tensor, nn

from ebgan.errors import DataError


class ComputedFeatures(nn.Module):
    """What torchmetrics takes for a feature extractor, over features that are computed already."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width

    def forward(self, features: Tensor) -> Tensor:
        return features


def check_features(real: Tensor, fake: Tensor) -> None:
    """Raise DataError unless both sets hold two or more finite rows."""
    for name, features in (("real", real), ("fake", fake)):
        if len(features) < 2:
            raise DataError(
                f"{name} features: {len(features)} given, but a distance needs 2 or more; pass more images."
            )
        if not features.isfinite().all():
            raise DataError(f"{name} features: NaN or infinite; check the images that they were computed from.")
