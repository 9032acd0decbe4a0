"""Run a sweep: train the trials of a grid that have no result yet, rung by rung.

A trial whose result was not stored before the driver or worker ended is trained again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ebgan.experiment import refuse_unkeepable
from ebgan.experiment.grid import Grid, Trial
from ebgan.experiment.precision import multiplies_bf16
from ebgan.report.trials import Published
from ebgan.storage.runfolder import SweepFolder
from ebgan.sweeps.cluster import connected, sharing, workers_multiply_bf16
from ebgan.sweeps.driver import Driver, Runner, SweepObserver
from ebgan.sweeps.halving import Halving, Rung, rungs, unfinished
from ebgan.sweeps.hangs import Patience
from ebgan.sweeps.moved import recognised
from ebgan.sweeps.plan import Task, chosen, planned
from ebgan.sweeps.precision import settled, warn_of_emulation
from ebgan.sweeps.store import SweepStore
from ebgan.sweeps.summary import write_sweep_report
from ebgan.sweeps.training import run_trials
from ebgan.training.lock import run_lock
from ebgan.training.signals import StopSignals

if TYPE_CHECKING:
    from distributed import Client


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
    trial_timeout: float | None = None,
    halving: Halving | None = None,
    observer: SweepObserver | None = None,
    runner: Runner = run_trials,
    facts: dict[str, str] | None = None,
    published: Published | None = None,
) -> list[str]:
    """Train the trials of a grid that have no result in the folder `out` yet, and return the ids of failed trials.

    `limit` takes a random subset of this many trials; `shuffle` is the seed of the subset and the order. A trial, or a
    stack of trials, that takes longer than `trial_timeout` minutes is ended and retried once, and then fails; by
    default the limit is 10 minutes, plus one for each trial, plus ten times the expected time of training. `halving`
    trains all trials on part of their images, and only the better ones for longer. At the end report.html is written,
    with a paper's `published` numbers for the grid.

    Raises UsageError, DataError or StorageError; RunLockedError if another driver uses the folder; StoppedError after a
    signal; SchedulerLostError.
    """
    for part in (grid, *grid.others):
        refuse_unkeepable(part.base)
    folder, trials = SweepFolder(Path(out)), chosen(list(grid.trials()), limit, shuffle)
    patience = Patience(trial_timeout, str(device))
    if halving:
        halving.check(trials)
    with run_lock(folder.lock), SweepStore(folder.trials) as store, ExitStack() as opened:
        client = cache(lambda: opened.enter_context(connected(workers, scheduler, slurm)))
        trials, data = recognised(trials, store.facts())
        trials, kept = _settled(trials, store.facts(), str(device), client if scheduler or slurm else None)
        store.state(**facts or {}, **kept, **data, **{"halving": str(halving)} if halving else {})
        signals = cache(lambda: opened.enter_context(StopSignals()))
        driver = cache(lambda: Driver(client(), store, str(device), runner, observer, signals(), patience))
        share = sharing(workers, scheduler, slurm)
        plan = partial(planned, device=torch.device(device), seed=shuffle, sharing=share)
        wanted = _train(store, rungs(trials, halving, store.scores), plan, driver)
        failed = [row.id for row in store.rows() if row.status == "failed" and row.id in wanted]
    write_sweep_report(folder, published)
    return failed


def _train(
    store: SweepStore,
    remaining: Iterable[Rung],
    plan: Callable[[Sequence[Trial]], Sequence[Task]],
    driver: Callable[[], Driver],
) -> set[str]:
    """Train the trials without a result, rung by rung, and return the ids of all trials of the rungs."""
    wanted: set[str] = set()
    for rung in remaining:
        (store.add if wanted else store.expect)(rung.trials)
        wanted |= {trial.id for trial in rung.trials}
        if left := unfinished(rung, store.finished()):
            driver().run(plan(left), more=rung.above * len(rung.trials) / len(left))
    return wanted


def _settled(
    trials: Sequence[Trial], facts: dict[str, str], device: str, cluster: Callable[[], Client] | None
) -> tuple[list[Trial], dict[str, str]]:
    """The trials with a precision each, and the fact to store; on a cluster, a worker is asked whether it has bf16."""
    if cluster:
        return settled(trials, facts, lambda: workers_multiply_bf16(cluster(), device))
    trials, kept = settled(trials, facts, partial(multiplies_bf16, device))
    warn_of_emulation(trials, device)
    return trials, kept
