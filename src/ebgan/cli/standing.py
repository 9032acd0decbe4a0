"""Show the progress of a sweep on one line of the console."""

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

SELDOM = 60.0  # seconds between lines if the output is not a terminal


class StandingLine:
    """A sweep observer that shows trials done, failed and running, trials per hour, time left, and the best score."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.live = Live(console=self.console, auto_refresh=False)
        self.last, self.printed = "", 0.0  # the last line, and when a line was last printed

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
        """Show the progress: at once on a terminal, else at most once a minute."""
        self.last = line(standing)
        if self.console.is_terminal:
            self.live.update(Text(self.last), refresh=True)
        elif time.monotonic() - self.printed > SELDOM:
            self.printed = time.monotonic()
            print(self.last, file=sys.stderr, flush=True)


def line(standing: Standing) -> str:
    """The progress as one line of text."""
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
