"""Train the runs of a table of test errors: each in its own folder, or in stacks of models if that is faster.

A run in a folder resumes where it was stopped, so several processes may each train some of them. The results of stacks
are rows of stacks/trials.sqlite, one per model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from statistics import fmean, stdev

import torch

from ebgan.distributed import default_device
from ebgan.errors import DivergedError
from ebgan.experiment import Experiment
from ebgan.experiment.precision import multiplies_bf16
from ebgan.reproductions.claims import Request
from ebgan.runs.trainer import train
from ebgan.storage.runfolder import RunFolder, SweepFolder, read_records
from ebgan.sweeps import SweepStore, Trial
from ebgan.sweeps.plan import Task, planned
from ebgan.sweeps.precision import settled
from ebgan.sweeps.training import run_trials
from ebgan.training.lock import run_lock

Errors = Sequence[float | None]  # one per seed, in per cent; None if the run diverged


def errors_of(cells: Mapping[str, Experiment], asked: Request) -> dict[str, float | None]:
    """Train experiments (folder name -> experiment), and return their test errors in per cent; None if diverged.

    Experiments are stacked if the planner estimates that to be faster; a run that already has a folder resumes there.
    """
    device = default_device()
    begun = {name for name in cells if RunFolder(asked.out / name).config.exists()}
    trials = [Trial(made.hash, made) for name, made in cells.items() if name not in begun]
    stacks = [task for task in planned(trials, device) if len(task.trials) > 1]
    stacked = _of_stacks(stacks, asked, device) if stacks else {}
    errors = {}
    for name, made in cells.items():
        error = stacked[made.hash] if name not in begun and made.hash in stacked else _of_run(name, made, asked)
        asked.note(f"{name}: diverged" if error is None else f"{name}: {error:.2f} %")
        errors[name] = error
    return errors


def said(errors: Errors) -> str:
    """The mean and standard deviation over the seeds that did not diverge, as text."""
    known = known_of(errors)
    words = [f"{fmean(known):.2f}" + (f" +- {stdev(known):.2f}" if len(known) > 1 else "")] if known else []
    diverged = len(errors) - len(known)
    return ", ".join([*words, f"{diverged} of {len(errors)} diverged"] if diverged else words)


def known_of(errors: Errors) -> list[float]:
    """The errors of the seeds that did not diverge."""
    return [error for error in errors if error is not None]


def _of_run(name: str, made: Experiment, asked: Request) -> float | None:
    try:
        run = train(made, asked.out / name)
    except DivergedError as error:
        asked.note(str(error))
        return None
    return 100 * float(read_records(run.folder.evaluations)[-1]["metrics"]["test_error"])


def _of_stacks(stacks: list[Task], asked: Request, device: torch.device) -> dict[str, float | None]:
    """The errors of stacked trials, by id; stacks that already have results are not trained again."""
    folder = SweepFolder(asked.out / "stacks")
    with run_lock(folder.lock), SweepStore(folder.trials) as store:
        asked_for = [trial for task in stacks for trial in task.trials]
        trials, kept = settled(asked_for, store.facts(), partial(multiplies_bf16, device))
        store.state(**kept)
        store.expect(trials)
        made = {trial.id: trial for trial in trials}
        for task in stacks:
            waiting = [made[trial.id] for trial in task.trials if trial.id not in store.finished()]
            if waiting:
                asked.note(f"a stack of {len(waiting)}")
                results = run_trials([trial.experiment for trial in waiting], device)
                store.finish({trial.id: result for trial, result in zip(waiting, results, strict=True)})
        rows = {row.id: row for row in store.rows()}
    return {name: None if row.status == "diverged" else 100 * row.metrics["test_error"] for name, row in rows.items()}
