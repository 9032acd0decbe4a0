"""The driver of a sweep: it submits tasks to workers and writes their results; only the driver writes the store.

A stack that fails is split into halves, so that one bad trial does not spoil the others. A single trial that fails is
retried, and so is one that hangs, after its worker is replaced. Dask also counts a lost worker against tasks that only
waited there, so such a trial is retried with nothing else running before the loss is counted against it.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ebgan.errors import WORKER_LOST, EbganError
from ebgan.experiment import Experiment
from ebgan.experiment.foreign import code_files
from ebgan.sweeps.cluster import LOSSES
from ebgan.sweeps.hangs import Beginnings, Patience, run_reported
from ebgan.sweeps.plan import Task
from ebgan.sweeps.store import SweepStore
from ebgan.sweeps.training import Result
from ebgan.sweeps.worker import run_from_text
from ebgan.training.signals import StoppedError, StopSignals, exit_code

if TYPE_CHECKING:
    from distributed import Client, Future

RETRIES = 2  # of a single trial that fails
HANGS = 2  # hangs of a single trial after which it has failed
AHEAD = 2  # tasks given to each worker, so that none waits for the driver
POLL = 0.5  # seconds between checks of signals and time limits

Runner = Callable[[Sequence[Experiment], str], list[Result]]

logger = logging.getLogger(__name__)


class Standing(NamedTuple):
    """The progress of a sweep."""

    trials: int
    done: int  # trials with a result, including diverged ones
    diverged: int
    failed: int
    running: int
    best: tuple[str, float] | None  # the trial with the highest score
    hourly: float  # trials finished per hour since this driver started
    left: float | None  # estimated seconds left; None if unknown


class SweepObserver(Protocol):
    """An observer of a sweep's progress."""

    def standing(self, standing: Standing) -> None:
        """Receive the progress."""


class SweepFailedError(EbganError):
    """Some trials failed; all others have their results."""


class SchedulerLostError(EbganError):
    """The Dask scheduler was lost, with all of its tasks."""

    exit_code = WORKER_LOST


@dataclass
class Driver:
    """Submits tasks and collects results."""

    client: Client
    store: SweepStore
    device: str
    runner: Runner
    observer: SweepObserver | None
    signals: StopSignals
    patience: Patience

    def __post_init__(self) -> None:
        self.waiting: deque[Task] = deque()
        self.running: dict[Future, Task] = {}  # in the order of submission
        self.started: set[Future] = set()
        self.beginnings = Beginnings(self.client)
        self.tries: dict[str, int] = {}  # failures of single trials
        self.hangs: dict[str, int] = {}  # hangs of single trials
        self.lost: set[str] = set()  # trials whose worker was lost
        self.suspects: list[Task] = []  # those of them to be retried with nothing else running
        self.begun, self.finished, self.work, self.whole = time.perf_counter(), 0, 0.0, 0.0

    def run(self, tasks: Sequence[Task], more: float = 0.0) -> None:
        """Run tasks until every trial has its result, or a signal asks to stop.

        `more` is the work that follows them, as a multiple of theirs, for estimates of the time left.
        """
        from distributed.comm import CommClosedError

        self.waiting.extend(tasks)
        self.whole = self.work + (1 + more) * sum(task.work for task in tasks)
        while self.waiting or self.running or self.suspects:
            try:
                self._hand_out()
                returned = self._returned()
                self._note_begun()
                for future in returned:
                    self._take_in(self.running[future], future)
                    self._forget(future)
                self._end_hung()
            except (CancelledError, CommClosedError) as error:
                for task in self.running.values():
                    self._rest(task)
                raise SchedulerLostError(
                    "the Dask scheduler was lost: start it again, and the same command goes on with the trials that "
                    "have no result"
                ) from error
            self._tell()
            if self.signals.received:
                for task in self.running.values():
                    self._rest(task)
                raise StoppedError(
                    f"stopped by {self.signals.received.name}: the same command goes on with the trials that have no "
                    "result",
                    exit_code(self.signals.received),
                )

    def _hand_out(self) -> None:
        workers = len(self.client.scheduler_info(n_workers=-1)["workers"])
        while self.waiting and len(self.running) < AHEAD * max(workers, 1):
            self._submit(self.waiting.popleft())
        if self.suspects and not self.running:
            self._submit(self.suspects.pop())

    def _note_begun(self) -> None:
        for future, task in self.running.items():
            if future not in self.started and future.key in self.beginnings.of:
                self.started.add(future)
                self.store.start(trial.id for trial in task.trials)

    def _end_hung(self) -> None:
        """Cancel tasks that have taken too long, and replace their workers."""
        for future, task in list(self.running.items()):
            passed = self.beginnings.seconds(future.key)
            if future.done() or not self.patience.is_over(task, passed):
                continue
            reason = self.patience.reason(task, passed)
            future.cancel()
            self.beginnings.replace_worker(future.key)
            self._forget(future)
            self._rest(task)
            self._try_hung_again(task, reason)

    def _try_hung_again(self, task: Task, reason: str) -> None:
        logger.warning("%s: %s; its worker is replaced", ", ".join(trial.id for trial in task.trials), reason)
        if len(task.trials) > 1:
            self.waiting.extendleft(task.halves())
            return
        (trial,) = task.trials
        self.hangs[trial.id] = self.hangs.get(trial.id, 0) + 1
        if self.hangs[trial.id] < HANGS:
            self.waiting.append(task)
            return
        message = f"{reason}, {HANGS} times; if it needs longer, give --trial-timeout MINUTES"
        self._keep(task, {trial.id: Result("failed", error=message)})

    def _forget(self, future: Future) -> None:
        del self.running[future]
        self.started.discard(future)
        self.beginnings.of.pop(future.key, None)

    def _rest(self, task: Task) -> None:
        """Mark the trials of a task as waiting again, without a result."""
        self.store.wait(trial.id for trial in task.trials)

    def _submit(self, task: Task) -> None:
        experiments = [trial.experiment for trial in task.trials]
        work = partial(self.runner, experiments)
        if files := list(dict.fromkeys(file for experiment in experiments for file in code_files(experiment))):
            work = partial(run_from_text, self.runner, [experiment.to_yaml() for experiment in experiments], files)
        self.running[self.client.submit(run_reported, work, self.device, pure=False)] = task

    def _returned(self) -> list[Future]:
        """Tasks that have ended, after waiting briefly for one."""
        from distributed import wait

        try:
            return list(wait(list(self.running), timeout=POLL, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            return []

    def _take_in(self, task: Task, future: Future) -> None:
        if future.status == "finished":
            results = future.result()
            self.patience.learn(task, self.beginnings.seconds(future.key))
            self._keep(task, {trial.id: result for trial, result in zip(task.trials, results, strict=True)})
            return
        self._rest(task)
        error = future.exception() if future.status == "error" else None
        if isinstance(error, EbganError):  # the same for all of the stack, and the same next time
            self._keep(task, {trial.id: Result("failed", error=str(error)) for trial in task.trials})
        elif len(task.trials) > 1:
            self.waiting.extendleft(task.halves())
        else:
            self._try_again(task, error)

    def _try_again(self, task: Task, error: BaseException | None) -> None:
        from distributed import KilledWorker

        (trial,) = task.trials
        if isinstance(error, KilledWorker):  # which Dask tried again already
            if trial.id not in self.lost:
                self.lost.add(trial.id)
                self.suspects.append(task)
                return
            message = f"its worker was lost {LOSSES + 1} times with nothing else at work: out of memory, perhaps"
        else:
            self.tries[trial.id] = self.tries.get(trial.id, 0) + 1
            if self.tries[trial.id] <= RETRIES:
                self.waiting.append(task)
                return
            message = f"{type(error).__name__}: {error}"
        self._keep(task, {trial.id: Result("failed", error=" ".join(message.split()))})

    def _keep(self, task: Task, results: dict[str, Result]) -> None:
        self.store.finish(results)
        self.finished += len(results)
        self.work += task.work

    def _tell(self) -> None:
        if self.observer:
            passed = max(time.perf_counter() - self.begun, 1e-9)
            left = (self.whole - self.work) / self.work * passed if self.work else None
            self.observer.standing(standing(self.store, 3600 * self.finished / passed, left))


def standing(store: SweepStore, hourly: float = 0.0, left: float | None = None) -> Standing:
    """The progress of the sweep in a store."""
    counts, best = store.summary()
    diverged = counts.get("diverged", 0)
    done = counts.get("done", 0) + diverged
    failed, running = counts.get("failed", 0), counts.get("running", 0)
    return Standing(sum(counts.values()), done, diverged, failed, running, best, hourly, left)
