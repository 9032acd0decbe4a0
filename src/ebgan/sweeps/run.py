"""Running a sweep: tasks to workers, results to the store, and nothing lost whatever ends first.

The driver, this process, alone writes the store. A trial that is not written when the driver or a worker ends is
trained again; one that is written is not. A stack that fails is tried in halves, so that one bad trial spoils no other;
Dask counts a lost worker against what only waited there too, so that a trial is tried with nothing else at work before
its worker's end is called its own.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch

from ebgan.errors import WORKER_LOST, EbganError
from ebgan.experiment import Experiment, refuse_unkeepable
from ebgan.experiment.foreign import code_files
from ebgan.experiment.grid import Grid, Trial
from ebgan.experiment.precision import multiplies_bf16
from ebgan.report.trials import Published
from ebgan.runfolder import SweepFolder
from ebgan.sweeps.cluster import LOSSES, connected, sharing, workers_multiply_bf16
from ebgan.sweeps.halving import Halving, rungs, unfinished
from ebgan.sweeps.moved import recognised
from ebgan.sweeps.plan import Task, chosen, planned
from ebgan.sweeps.precision import settled, warn_of_emulation
from ebgan.sweeps.store import Store
from ebgan.sweeps.summary import write_sweep_report
from ebgan.sweeps.training import Result, run_trials
from ebgan.sweeps.worker import run_from_text
from ebgan.training.lock import run_lock
from ebgan.training.signals import StoppedError, StopSignals, exit_code

if TYPE_CHECKING:
    from distributed import Client, Future

RETRIES = 2  # of a trial that fails alone
AHEAD = 2  # tasks given to each worker, so that none waits for the driver
POLL = 0.5  # seconds between looks at signals and the clock

Runner = Callable[[Sequence[Experiment], str], list[Result]]


class Standing(NamedTuple):
    """The progress of a sweep."""

    trials: int
    done: int  # with a result, diverged ones among them
    diverged: int
    failed: int
    running: int
    best: tuple[str, float] | None  # the trial with the highest score
    hourly: float  # trials finished an hour, since this driver began
    left: float | None  # seconds, once there is something to tell them from


class Observer(Protocol):
    """An observer of a sweep's progress."""

    def standing(self, standing: Standing) -> None:
        """Receive the progress."""


class SweepFailedError(EbganError):
    """Some trials failed; all others have their results."""


class SchedulerLostError(EbganError):
    """The Dask scheduler was lost, with all tasks that it had."""

    exit_code = WORKER_LOST


def sweep(
    grid: Grid,
    out: str | Path,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    slurm: bool = False,
    device: torch.device | str = "cpu",
    limit: int | None = None,
    shuffle: int = 0,
    halving: Halving | None = None,
    observer: Observer | None = None,
    runner: Runner = run_trials,
    facts: dict[str, str] | None = None,
    published: Published | None = None,
) -> list[str]:
    """Run the trials of a grid that have no result in the folder `out` yet, and return the ids of those that failed.

    `limit` takes a random subset of so many trials; `shuffle` is the seed that draws it, and the order. `halving` gives
    all of them a part of their images and goes on with the better ones alone. When all have ended, the report.html is
    written, with what a paper `published` of the grid beside them. Raises UsageError, DataError or StorageError;
    RunLockedError where another driver is at work; StoppedError after a signal; SchedulerLostError.
    """
    for part in (grid, *grid.others):
        refuse_unkeepable(part.base)
    folder, trials = SweepFolder(Path(out)), chosen(list(grid.trials()), limit, shuffle)
    if halving:
        halving.check(trials)
    wanted: set[str] = set()
    with run_lock(folder.lock), Store(folder.trials) as store, ExitStack() as opened:
        client = cache(lambda: opened.enter_context(connected(workers, scheduler, slurm)))
        trials, data = recognised(trials, store.facts())
        trials, kept = _settled(trials, store.facts(), str(device), client if scheduler or slurm else None)
        store.state(**facts or {}, **kept, **data, **{"halving": str(halving)} if halving else {})
        driver = None
        for rung in rungs(trials, halving, store.scores):
            (store.add if wanted else store.expect)(rung.trials)
            wanted |= {trial.id for trial in rung.trials}
            left = unfinished(rung, store.finished())
            if not left:
                continue
            driver = driver or _Driver(
                signals=opened.enter_context(StopSignals()),
                client=client(),
                store=store,
                device=str(device),
                runner=runner,
                observer=observer,
            )
            tasks = planned(left, torch.device(device), shuffle, sharing(workers, scheduler, slurm))
            driver.run(tasks, more=rung.above * len(rung.trials) / len(left))
        failed = [row.id for row in store.rows() if row.status == "failed" and row.id in wanted]
    write_sweep_report(folder, published)
    return failed


def _settled(
    trials: Sequence[Trial], facts: dict[str, str], device: str, cluster: Callable[[], Client] | None
) -> tuple[list[Trial], dict[str, str]]:
    """The trials with a precision each, and the fact to keep of it; on a cluster a worker says what it multiplies."""
    if cluster:
        return settled(trials, facts, lambda: workers_multiply_bf16(cluster(), device))
    trials, kept = settled(trials, facts, partial(multiplies_bf16, device))
    warn_of_emulation(trials, device)
    return trials, kept


@dataclass(kw_only=True)
class _Driver:
    """Submits tasks and collects results."""

    client: Client
    store: Store
    device: str
    runner: Runner
    observer: Observer | None
    signals: StopSignals

    def __post_init__(self) -> None:
        self.waiting: deque[Task] = deque()
        self.running: dict[Future, Task] = {}  # in the order in which they were handed out
        self.started: set[Future] = set()
        self.tries: dict[str, int] = {}  # of trials that failed alone
        self.lost: set[str] = set()  # trials whose worker was lost
        self.suspects: list[Task] = []  # those of them that are yet to be tried with nothing else at work
        self.begun, self.finished, self.work, self.whole = time.perf_counter(), 0, 0.0, 0.0

    def run(self, tasks: Sequence[Task], more: float = 0.0) -> None:
        """Until every trial of the tasks has its result, or a signal asks to stop.

        `more` is the work that is to come after them, as a multiple of theirs.
        """
        from distributed.comm import CommClosedError

        self.waiting.extend(tasks)
        self.whole = self.work + (1 + more) * sum(task.work for task in tasks)
        while self.waiting or self.running or self.suspects:
            try:
                self._hand_out()
                for future in self._returned():
                    self._take_in(self.running[future], future)
                    del self.running[future]
                    self.started.discard(future)
            except (CancelledError, CommClosedError) as error:
                for task in self.running.values():
                    self._rest(task)
                raise SchedulerLostError(
                    "the Dask scheduler is gone: start it again, and the same command goes on with the trials that "
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
        for future, task in islice(self.running.items(), workers):  # the others wait for a worker
            if future not in self.started:
                self.started.add(future)
                self.store.start(trial.id for trial in task.trials)

    def _rest(self, task: Task) -> None:
        """Record that a task is no longer being trained, and has no result."""
        self.store.wait(trial.id for trial in task.trials)

    def _submit(self, task: Task) -> None:
        experiments = [trial.experiment for trial in task.trials]
        work = partial(self.runner, experiments)
        if files := list(dict.fromkeys(file for experiment in experiments for file in code_files(experiment))):
            work = partial(run_from_text, self.runner, [experiment.to_yaml() for experiment in experiments], files)
        self.running[self.client.submit(work, self.device, pure=False)] = task

    def _returned(self) -> list[Future]:
        """Tasks that have ended, for which it waits a moment."""
        from distributed import wait

        try:
            return list(wait(list(self.running), timeout=POLL, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            return []

    def _take_in(self, task: Task, future: Future) -> None:
        if future.status == "finished":
            results = future.result()
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
            told = f"its worker was lost {LOSSES + 1} times with nothing else at work: out of memory, perhaps"
        else:
            self.tries[trial.id] = self.tries.get(trial.id, 0) + 1
            if self.tries[trial.id] <= RETRIES:
                self.waiting.append(task)
                return
            told = f"{type(error).__name__}: {error}"
        self._keep(task, {trial.id: Result("failed", error=" ".join(told.split()))})

    def _keep(self, task: Task, results: dict[str, Result]) -> None:
        self.store.finish(results)
        self.finished += len(results)
        self.work += task.work

    def _tell(self) -> None:
        if self.observer:
            passed = max(time.perf_counter() - self.begun, 1e-9)
            left = (self.whole - self.work) / self.work * passed if self.work else None
            self.observer.standing(standing(self.store, 3600 * self.finished / passed, left))


def standing(store: Store, hourly: float = 0.0, left: float | None = None) -> Standing:
    """The progress of the sweep in a store."""
    counts, best = store.summary()
    diverged = counts.get("diverged", 0)
    done = counts.get("done", 0) + diverged
    failed, running = counts.get("failed", 0), counts.get("running", 0)
    return Standing(sum(counts.values()), done, diverged, failed, running, best, hourly, left)
