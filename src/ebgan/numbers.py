"""Numbers of one model, or of each model of a stack.

A field of a dataclass is declared `float`. Where the models of a stack differ in it, it holds a tensor [*models].
"""

from __future__ import annotations

from typing import overload

from torch import Tensor

Number = float | Tensor  # of one model, or [*models]


@overload
def per_model(value: Tensor, dims: int) -> Tensor: ...
@overload
def per_model(value: Number, dims: int) -> Number: ...
def per_model(value: Number, dims: int) -> Number:
    """A number ready to be combined with a tensor that has `dims` axes after its model axes."""
    return value[(..., *[None] * dims)] if isinstance(value, Tensor) else value


def is_used(value: Number) -> bool:
    """Whether a number is not 0 for some model: the numbers of a stack differ, so that at most one of them is 0."""
    return isinstance(value, Tensor) or value != 0
