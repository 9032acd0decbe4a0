"""The last nonlinearity of nets that make images, which keeps them in the data's range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from ebgan.errors import UsageError

Output = Literal["linear", "limits"]


def squash(limits: tuple[float, float] | None) -> Callable[[Tensor], Tensor]:
    """The nonlinearity whose range is the data's: tanh for [-1, 1], sigmoid for [0, 1], identity for None.

    Raises UsageError for another range.
    """
    if limits is None:
        return nn.Identity()
    known = {(-1.0, 1.0): torch.tanh, (0.0, 1.0): torch.sigmoid}
    if limits not in known:
        raise UsageError(f"data.limits={limits}: expected [-1, 1] or [0, 1] for images")
    return known[limits]


def ending(output: Output, limits: tuple[float, float] | None) -> Callable[[Tensor], Tensor]:
    """The last nonlinearity of a net, by its name."""
    return squash(limits) if output == "limits" else nn.Identity()
