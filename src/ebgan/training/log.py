"""The log of a run: records, evaluations and alarms, written to its folder and passed to an observer.

If several processes train together, only the first writes; the log of the others does nothing.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ebgan.distributed import rank
from ebgan.storage.runfolder import Record, RunFolder, append_record, keep_records, read_records
from ebgan.training.alarms import Alarms


@runtime_checkable
class Observer(Protocol):
    """An observer of a run's progress."""

    def record(self, record: Record) -> None:
        """Receive a record of stats.jsonl."""

    def notice(self, text: str) -> None:
        """Receive a message for the user."""


class Log:
    """The three files of records in a run folder, and the alarms raised by them."""

    def __init__(self, folder: RunFolder, observer: Observer, images: int, possible: frozenset[str]) -> None:
        """`images` is the length of the run; `possible` are the objective's `Asks.alarms`."""
        self.folder, self.observer = folder, observer
        self.leads = rank().index == 0  # whether this process writes
        self.alarms = Alarms(images, possible)

    def keep(self, seen: int) -> None:
        """Drop records of steps after `seen` images, and pass the others to the alarms."""
        if not self.leads:
            return
        for path in (self.folder.stats, self.folder.evaluations, self.folder.alarms):
            keep_records(path, seen)
        self.alarms.raised |= {record["alarm"] for record in read_records(self.folder.alarms)}
        for record in read_records(self.folder.stats):
            self.alarms.hear(record)
        for evaluation in read_records(self.folder.evaluations):
            self.alarms.judge(evaluation)

    def record(self, record: Record) -> None:
        """Write a record of training, pass it to the observer, and raise its alarms."""
        if self.leads:
            append_record(self.folder.stats, record)
            self.observer.record(record)
            self._raise(self.alarms.hear(record))

    def evaluation(self, evaluation: Record) -> None:
        """Write an evaluation, and raise its alarms."""
        if self.leads:
            append_record(self.folder.evaluations, evaluation)
            self._raise(self.alarms.judge(evaluation))

    def divergence(self, seen: int, error: Exception) -> None:
        """Write the alarm of a run that ends because it diverged."""
        if self.leads:
            append_record(self.folder.alarms, {"images": seen, "alarm": "divergence", "message": str(error)})

    def notice(self, text: str) -> None:
        """Pass a message to the observer."""
        if self.leads:
            self.observer.notice(text)

    def _raise(self, alarms: list[Record]) -> None:
        for alarm in alarms:
            append_record(self.folder.alarms, alarm)
            self.observer.notice(f"{alarm['alarm']}: {alarm['message']}")
