"""The distance between two sets of numbers: how far one must be moved to become the other (Wasserstein-1)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def transport_distance(one: Float[Tensor, " count"], other: Float[Tensor, " count"]) -> float:
    """The mean distance between the numbers of two sets of one size, each in order: in one dimension, the least."""
    return float((one.double().sort().values - other.double().sort().values).abs().mean())
