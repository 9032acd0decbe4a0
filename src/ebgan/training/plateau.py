"""A factor on both players' learning rates that falls when the measure of convergence stalls.

    M       mean of the measure over the `patience` images of a window, weighted by each step's images
    stall   M >= (1 - threshold) best M of the windows before
    factor  <- max(reduction * factor, floor)   at the end of a window that stalls,   1 at the start

BEGAN halves the learning rates when M_global stalls (Berthelot et al., 2017) and gives no details; a single step's
measure is too noisy to compare. Steps in which the generator has no turn have no measure and are not counted. Nothing
here waits for the device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from torch import Tensor

from ebgan.errors import check_least, check_number


class PlateauState(NamedTuple):
    """The state of a plateau."""

    factor: Tensor  # [*models] on the learning rates
    best: Tensor  # [*models] lowest mean of a window so far
    mean: Tensor  # [*models] of the measure in the current window
    seen: Tensor  # [*models] int64, images of that window


@final
@dataclass(frozen=True, kw_only=True)
class Plateau:
    """Lower the learning rates of both players when the objective's measure of convergence stalls."""

    patience: int  # images in a window, such as an epoch or several
    threshold: float = 0.01  # a window must be lower than the best by this share of it
    reduction: float = 0.5  # multiplies the factor at each stall
    floor: float = 0.0  # lowest factor

    def __post_init__(self) -> None:
        check_least("plateau", 1, patience=self.patience)
        shares = {"threshold": self.threshold, "reduction": self.reduction, "floor": self.floor}
        check_number("plateau", "from 0 to below 1", **shares)

    def init(self, models: tuple[int, ...] = (), device: torch.device | str | None = None) -> PlateauState:
        """The state before the first step."""
        one = torch.ones(models, device=device)
        first = torch.full_like(one, torch.finfo(one.dtype).max)  # no window's mean is above it
        return PlateauState(one, first, torch.zeros_like(one), torch.zeros_like(one, dtype=torch.int64))

    def follow(self, state: PlateauState, measure: Tensor, images: Tensor) -> PlateauState:
        """The state after a step of `images` [] with a measure of convergence [*models], which is never negative."""
        seen = state.seen + images
        mean = (state.mean + (measure - state.mean) * (images / seen)).to(state.mean.dtype)
        ended, stalled = seen >= self.patience, mean >= state.best * (1 - self.threshold)
        lower = (self.reduction * state.factor).clamp(min=self.floor)
        return PlateauState(
            factor=torch.where(ended & stalled, lower, state.factor),
            best=torch.where(ended, torch.minimum(mean, state.best), state.best),
            mean=mean,  # the next window's first step replaces it
            seen=torch.where(ended, 0, seen),
        )
