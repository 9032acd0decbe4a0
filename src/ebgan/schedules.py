"""Values as functions of the images seen, the clock of every run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor


class Schedule(ABC):
    """A value at each moment of a run."""

    @abstractmethod
    def at(self, images: Tensor) -> Tensor:
        """The value [] in float32 after `images` [] real images seen."""


@final
@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """The same value for ever."""

    value: float

    def at(self, images: Tensor) -> Tensor:
        return torch.as_tensor(self.value, dtype=torch.float32, device=images.device)


@final
@dataclass(frozen=True, kw_only=True)
class Linear(Schedule):
    """From `start` to `end` in a straight line between `begin` and `finish` images seen, level before and after."""

    start: float
    end: float
    finish: int  # images seen
    begin: int = 0  # images seen

    def __post_init__(self) -> None:
        if self.finish <= self.begin:
            raise ValueError(f"Linear schedule: finish={self.finish} must come after begin={self.begin}")

    def at(self, images: Tensor) -> Tensor:
        progress = ((images - self.begin) / (self.finish - self.begin)).clamp(0, 1)
        return self.start + (self.end - self.start) * progress


@final
@dataclass(frozen=True, kw_only=True)
class Steps(Schedule):
    """`values[i]` from `boundaries[i - 1]` images seen on; one value more than there are boundaries."""

    values: tuple[float, ...]
    boundaries: tuple[int, ...]  # images seen, increasing

    def __post_init__(self) -> None:
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"Steps schedule: {len(self.boundaries)} boundaries need {len(self.boundaries) + 1} values, "
                f"not {len(self.values)}"
            )
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError(f"Steps schedule: boundaries {self.boundaries} must increase")

    def at(self, images: Tensor) -> Tensor:
        values = torch.tensor(self.values, dtype=torch.float32, device=images.device)
        passed = torch.tensor(self.boundaries, device=images.device) <= images
        return values[passed.sum()]
