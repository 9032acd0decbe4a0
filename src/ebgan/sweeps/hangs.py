"""Tasks that hang: when each one began on its worker, how long it may take, and a new process for a worker that hangs.

    limit = --trial-timeout, or 10 min + 1 min a trial + 10 times the expected time of training

A hang is a task that runs and never ends: a file system that does not answer, a deadlock, a stopped process. A process
that does not even answer its scheduler is lost to Dask after five minutes, and counts as a lost worker.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ebgan.errors import UsageError
from ebgan.report.summary import duration
from ebgan.sweeps.plan import Task, seconds
from ebgan.sweeps.training import Result

if TYPE_CHECKING:
    from distributed import Client

TOPIC = "ebgan-began"  # of the events by which workers report the beginning of a task
LEAST = 600.0  # seconds that every task may take
EACH = 60.0  # seconds more for each trial, which is evaluated after the training
FACTOR = 10  # times the expected seconds of training
RESTART = 60.0  # seconds that a new worker process is waited for

logger = logging.getLogger(__name__)


def run_reported(work: Callable[[str], list[Result]], device: str) -> list[Result]:
    """Run a task on a worker, and tell the driver first that it begins now."""
    from distributed import get_worker

    worker = get_worker()
    worker.log_event(TOPIC, {"task": worker.get_current_task(), "worker": worker.address})
    return work(device)


class Beginning(NamedTuple):
    """When and where a task began."""

    at: float  # of the driver's clock
    worker: str  # address


class Beginnings:
    """The latest beginning of each task, by its key, as the workers report them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.of: dict[str, Beginning] = {}
        client.subscribe_topic(TOPIC, self._hear)

    def _hear(self, event: tuple[float, Any]) -> None:
        _, report = event
        self.of[report["task"]] = Beginning(time.perf_counter(), report["worker"])

    def seconds(self, key: str) -> float:
        """Seconds since a task began; 0 if it has not."""
        return time.perf_counter() - self.of[key].at if key in self.of else 0.0

    def replace_worker(self, key: str) -> None:
        """End the process in which a task began; its nanny starts another one."""
        address = self.of[key].worker
        with suppress(KeyError, ValueError, OSError, TimeoutError):  # a worker that is gone already
            self.client.restart_workers([address], timeout=RESTART, raise_for_error=False)


class Patience:
    """How long a task may take before it counts as hung.

    The expected time is measured only when a task has taken longer than any task may: some of its steps are trained in
    this process, if the device is here, and it is no less than what finished tasks took for as much work.
    """

    def __init__(self, minutes: float | None, device: str) -> None:
        """`minutes` is the limit of a task; by default it follows from the expected time.

        Raises UsageError for a limit that is no positive number.
        """
        if minutes is not None and not 0 < minutes < math.inf:
            raise UsageError(f"--trial-timeout {minutes}: expected minutes, more than 0")
        self.limit = None if minutes is None else 60 * minutes
        self.device = torch.device(device)
        self.pace = 0.0  # seconds that a unit of work took at most
        self.expected: dict[tuple[str, ...], float] = {}

    def learn(self, task: Task, passed: float) -> None:
        """Note how long a task took to its end."""
        self.pace = max(self.pace, passed / task.work)

    def is_over(self, task: Task, passed: float) -> bool:
        """Whether a task has taken too long."""
        if self.limit is not None:
            return passed > self.limit
        least = LEAST + EACH * len(task.trials)
        return passed > least and passed > least + FACTOR * self._expected(task)

    def reason(self, task: Task, passed: float) -> str:
        """The reason for ending a task."""
        expected = (
            "" if self.limit is not None else f", where {duration(self._expected(task))} of training was expected"
        )
        return f"it hung: no end after {duration(passed)}{expected}"

    def _expected(self, task: Task) -> float:
        """Seconds of training; endless where nothing is known."""
        key = tuple(trial.id for trial in task.trials)
        if key not in self.expected:
            self.expected[key] = self._measured(task)
        expected = max(self.expected[key], self.pace * task.work)
        return expected or math.inf

    def _measured(self, task: Task) -> float:
        if self.device.type == "cuda" and not torch.cuda.is_available():
            return 0.0
        with suppress(torch.OutOfMemoryError):
            return seconds([task], self.device)
        return 0.0
