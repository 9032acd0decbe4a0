"""Detect tasks that hang, and replace the processes of their workers.

    limit = --trial-timeout, or 10 min + 1 min a trial + 10 times the expected time of training

A task hangs if it never ends, because of a file system that does not answer, a deadlock or a stopped process. A process
that does not even answer its scheduler is given up by Dask after five minutes, and counts as a lost worker.
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

TOPIC = "ebgan-began"  # the topic of events by which workers report the start of a task
LEAST = 600.0  # seconds allowed for every task
EACH = 60.0  # seconds added for each trial, for its evaluation
FACTOR = 10  # multiple of the expected seconds of training that is added
RESTART = 60.0  # seconds to wait for a new worker process

logger = logging.getLogger(__name__)


def run_reported(work: Callable[[str], list[Result]], device: str) -> list[Result]:
    """Run a task on a worker, after reporting its start to the driver."""
    from distributed import get_worker

    worker = get_worker()
    worker.log_event(TOPIC, {"task": worker.get_current_task(), "worker": worker.address})
    return work(device)


class Beginning(NamedTuple):
    """The time and place of a task's start."""

    at: float  # of the driver's clock
    worker: str  # address


class Beginnings:
    """The latest start of each task, by its Dask key, as reported by the workers."""

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
        """End the process of a task; its nanny starts a new one."""
        address = self.of[key].worker
        with suppress(KeyError, ValueError, OSError, TimeoutError):  # a worker that is gone already
            self.client.restart_workers([address], timeout=RESTART, raise_for_error=False)


class Patience:
    """The time limit after which a task counts as hung.

    The expected time is estimated only for a task that has exceeded the minimum limit: by training some of its steps in
    this process, if the device is available, and from the time that finished tasks took for as much work.
    """

    def __init__(self, minutes: float | None, device: str) -> None:
        """`minutes` is the limit of a task; by default it is computed from the expected time.

        Raises UsageError for a limit that is not a positive number.
        """
        if minutes is not None and not 0 < minutes < math.inf:
            raise UsageError(f"--trial-timeout {minutes}: expected minutes, more than 0")
        self.limit = None if minutes is None else 60 * minutes
        self.device = torch.device(device)
        self.pace = 0.0  # most seconds taken per unit of work
        self.expected: dict[tuple[str, ...], float] = {}

    def learn(self, task: Task, passed: float) -> None:
        """Record how long a finished task took."""
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
        """Expected seconds of training; infinite if unknown."""
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
