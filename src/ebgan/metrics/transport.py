"""The Wasserstein-1 distance between two sets of numbers."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def transport_distance(one: Float[Tensor, " count"], other: Float[Tensor, " count"]) -> float:
    """The mean absolute difference of two sets of equal size after sorting both, which is optimal in one dimension."""
    return float((one.double().sort().values - other.double().sort().values).abs().mean())
