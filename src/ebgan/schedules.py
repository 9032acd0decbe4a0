"""Values as functions of the images seen, the clock of every run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from ebgan.errors import UsageError, check_least, check_number


class Schedule(ABC):
    """A value at each moment of a run."""

    @abstractmethod
    def at(self, images: Tensor) -> Tensor:
        """The value [] in float32 after `images` [] real images seen."""

    @property
    def values_met(self) -> tuple[float, ...]:
        """Values between which all others lie, for checks; none where they are not known."""
        return ()


@final
@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """The same value for ever."""

    value: float

    def __post_init__(self) -> None:
        check_number("Constant schedule", "that is finite", value=self.value)

    @property
    def values_met(self) -> tuple[float, ...]:
        return (self.value,)

    def at(self, images: Tensor) -> Tensor:
        return torch.zeros_like(images, dtype=torch.float32) + self.value


@final
@dataclass(frozen=True, kw_only=True)
class Linear(Schedule):
    """From `start` to `end` in a straight line between `begin` and `finish` images seen, level before and after."""

    start: float
    end: float
    finish: int  # images seen
    begin: int = 0  # images seen

    def __post_init__(self) -> None:
        check_number("Linear schedule", "that is finite", start=self.start, end=self.end)
        check_least("Linear schedule", 0, begin=self.begin, finish=self.finish)
        if self.finish <= self.begin:
            raise UsageError(f"Linear schedule: finish={self.finish} must come after begin={self.begin}")

    @property
    def values_met(self) -> tuple[float, ...]:
        return self.start, self.end

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
        for value in self.values:
            check_number("Steps schedule", "that is finite", values=value)
        for boundary in self.boundaries:
            check_least("Steps schedule", 0, boundaries=boundary)
        if len(self.values) != len(self.boundaries) + 1:
            raise UsageError(
                f"Steps schedule: {len(self.boundaries)} boundaries need {len(self.boundaries) + 1} values, "
                f"not {len(self.values)}"
            )
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise UsageError(f"Steps schedule: boundaries {self.boundaries} must increase")

    @property
    def values_met(self) -> tuple[float, ...]:
        return self.values

    def at(self, images: Tensor) -> Tensor:
        value = torch.full_like(images, self.values[0], dtype=torch.float32)
        for boundary, then in zip(self.boundaries, self.values[1:], strict=True):
            value = torch.where(images >= boundary, then, value)
        return value
