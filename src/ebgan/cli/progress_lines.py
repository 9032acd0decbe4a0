"""Print the progress of a run line by line if there is no terminal: in a log file, a batch job or a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import final

from ebgan.cli.progress import shown_values
from ebgan.distributed import rank
from ebgan.experiment import Experiment
from ebgan.report.summary import duration
from ebgan.storage.runfolder import Record

SECONDS = 60.0  # longest time between two lines
PARTS = 10  # a line is also printed after each tenth of the run


@final
class ProgressLines:
    """A training observer that prints a line at the first record, after each tenth of the run, and each minute.

    `clock` returns the time in seconds.
    """

    def __init__(self, experiment: Experiment, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._clock = experiment.images, clock
        self._printed: tuple[int, float] | None = None  # the tenth and the time of the last line

    def record(self, record: Record) -> None:
        """Print the record if a line is due."""
        images = min(record["images"], self._total)
        part, now = PARTS * images // self._total, self._clock()
        if self._printed and part == self._printed[0] and now - self._printed[1] < SECONDS:
            return
        self._printed = part, now
        left = (self._total - images) / max(record["images_per_second"], 1e-9)
        seen = f"{images:,}/{self._total:,} ({images / self._total:.0%})"
        _print(f"{seen}, {duration(left)} left, {shown_values(record)}")

    def notice(self, text: str) -> None:
        """Print the text."""
        _print(text)


def _print(text: str) -> None:
    """Print one line on standard error; only the first of several processes does."""
    if rank().index == 0:
        print(text, file=sys.stderr, flush=True)
