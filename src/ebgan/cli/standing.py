"""How a sweep stands, on one line of the console."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ebgan.report.summary import duration

if TYPE_CHECKING:
    from ebgan.sweeps import Standing

SELDOM = 60.0  # seconds between lines where the output is no terminal


class StandingLine:
    """An observer of a sweep: done, failed, running, trials an hour, time left, the best so far."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.live = Live(console=self.console, auto_refresh=False)
        self.last, self.said = "", 0.0

    def __enter__(self) -> StandingLine:
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.live.stop()
        if self.last and not self.console.is_terminal:
            print(self.last, file=sys.stderr, flush=True)

    def standing(self, standing: Standing) -> None:
        """Show it: at once on a terminal, now and then in a file."""
        self.last = line(standing)
        if self.console.is_terminal:
            self.live.update(Text(self.last), refresh=True)
        elif time.monotonic() - self.said > SELDOM:
            self.said = time.monotonic()
            print(self.last, file=sys.stderr, flush=True)


def line(standing: Standing) -> str:
    """The numbers in words."""
    parts = [f"{standing.done:,} of {standing.trials:,} done"]
    if standing.diverged:
        parts.append(f"{standing.diverged:,} of them diverged")
    if standing.failed:
        parts.append(f"{standing.failed:,} failed")
    parts.append(f"{standing.running:,} running")
    if standing.hourly:
        parts.append(f"{standing.hourly:,.0f} an hour")
    if standing.left is not None:
        parts.append(f"{duration(standing.left)} left")
    if standing.best:
        parts.append(f"best {standing.best[1]:.3f} ({standing.best[0]})")
    return ", ".join(parts)
