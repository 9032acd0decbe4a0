"""The progress of a run where there is no terminal to draw a bar on: a log file, a batch job, a pipe."""

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

SECONDS = 60.0  # after which a line is due, whether or not a tenth of the run has passed
PARTS = 10  # of a run, each of which ends with a line


@final
class ProgressLines:
    """An observer that prints a line for the first record, for each tenth of the run, and at least once a minute.

    `clock` gives the time in seconds.
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
