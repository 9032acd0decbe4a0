"""Checks of feature sets, on which distances between real and generated images are computed."""

from __future__ import annotations

from torch import Tensor

from ebgan.errors import DataError


def check_features(name: str, features: Tensor) -> None:
    """Raise DataError, with the set's `name`, unless it has two or more rows, all finite."""
    if len(features) < 2:
        raise DataError(f"{name} features: {len(features)} given, but a distance needs 2 or more; pass more images.")
    if not features.isfinite().all():
        raise DataError(f"{name} features: NaN or infinite; check the images that they were computed from.")
