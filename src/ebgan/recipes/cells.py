"""The runs that a table of test errors is made of: in folders of their own, or as stacks of models where those pay.

A run in a folder goes on where it was stopped, so that several processes, on several days, may each train some. Stacks
are kept whole: a row a model in stacks/trials.sqlite.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ebgan.distributed import default_device
from ebgan.errors import DivergedError
from ebgan.experiment import Experiment
from ebgan.recipes.claims import Request
from ebgan.runfolder import RunFolder, SweepFolder, read_records
from ebgan.sweeps import Store, Trial
from ebgan.sweeps.plan import Task, planned
from ebgan.sweeps.training import run_trials
from ebgan.trainer import train
from ebgan.training.lock import run_lock


def errors_of(cells: Mapping[str, Experiment], asked: Request) -> dict[str, float]:
    """The test error in per cent of each experiment, by the name of its folder.

    Those that share a stack where the planner says that it pays are trained so; a run that has a folder already goes on
    there. Raises DivergedError for one that diverged.
    """
    device = default_device()
    begun = {name for name in cells if RunFolder(asked.out / name).config.exists()}
    trials = [Trial(made.hash, made) for name, made in cells.items() if name not in begun]
    stacks = [task for task in planned(trials, device) if len(task.trials) > 1]
    stacked = _of_stacks(stacks, asked, device) if stacks else {}
    errors = {}
    for name, made in cells.items():
        errors[name] = stacked[made.hash] if name not in begun and made.hash in stacked else _of_run(name, made, asked)
        asked.note(f"{name}: {errors[name]:.2f} %")
    return errors


def _of_run(name: str, made: Experiment, asked: Request) -> float:
    run = train(made, asked.out / name)
    return 100 * float(read_records(run.folder.evaluations)[-1]["metrics"]["test_error"])


def _of_stacks(stacks: list[Task], asked: Request, device: torch.device) -> dict[str, float]:
    """The errors of the trials of stacks, by id; a stack that has its results is not trained again."""
    folder = SweepFolder(asked.out / "stacks")
    with run_lock(folder.lock), Store(folder.trials) as store:
        store.expect([trial for task in stacks for trial in task.trials])
        for task in stacks:
            waiting = [trial for trial in task.trials if trial.id not in store.finished()]
            if waiting:
                asked.note(f"a stack of {len(waiting)}")
                results = run_trials([trial.experiment for trial in waiting], device)
                store.finish({trial.id: result for trial, result in zip(waiting, results, strict=True)})
        rows = {row.id: row for row in store.rows()}
    for trial in (trial for task in stacks for trial in task.trials):
        if rows[trial.id].status == "diverged":
            raise DivergedError(f"{folder.trials}: {trial.id}: {rows[trial.id].error}: choose another --seeds")
    return {trial.id: 100 * rows[trial.id].metrics["test_error"] for task in stacks for trial in task.trials}
