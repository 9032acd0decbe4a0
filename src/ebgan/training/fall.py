"""A factor on both players' learning rates that falls in a straight line at the end of a run.

    1                                                   up to `begin` images seen
    1 + (end - 1) (seen - begin) / (finish - begin)     from there to `finish`
    end                                                 from there on

A generator whose steps become small comes to rest on the data instead of moving about it. `decay` of one optimiser is
any schedule for it alone, by Python or a config; both count. Images are absolute, so that a run that is resumed with
more of them computes what it computed before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor

from ebgan.errors import UsageError, check_least, check_number


@final
@dataclass(frozen=True, kw_only=True)
class Fall:
    """Lower the learning rates of both players between two numbers of images seen; never if `finish` is 0."""

    begin: int = 0  # images seen
    finish: int = 0  # images seen, for instance all of the run's
    end: float = 0.02  # of the learning rates, from `finish` on

    def __post_init__(self) -> None:
        check_least("optimisers.fall", 0, begin=self.begin, finish=self.finish)
        check_number("optimisers.fall", "from 0 to 1", end=self.end)
        if self.finish <= self.begin and (self.begin or self.finish):
            raise UsageError(
                f"optimisers.fall.finish={self.finish}: must come after begin={self.begin}; both are in images seen"
            )

    def at(self, seen: Tensor) -> Tensor:
        """The factor [] or [*models] after so many images seen."""
        return 1 + (self.end - 1) * ((seen - self.begin) / (self.finish - self.begin)).clamp(0, 1)
