"""The trials of the grid search for the figures: read from a sweep's folder, or trained if they have no result there.

The folder is one of `ebgan sweep mnist_grid`.
"""

from __future__ import annotations

from typing import NamedTuple

from ebgan.distributed import default_device
from ebgan.errors import UsageError
from ebgan.experiment import Experiment
from ebgan.recipes.grid_figures import FIGURES
from ebgan.recipes.mnist_grid import both
from ebgan.report.trials import Published, SweepRecord
from ebgan.reproductions.claims import Request
from ebgan.storage.runfolder import SweepFolder
from ebgan.sweeps import Grid, Standing, SweepStore, sweep
from ebgan.sweeps.summary import sweep_record

GRID = "mnist_grid"


class Study(NamedTuple):
    """The requested trials and their results."""

    record: SweepRecord
    experiments: dict[str, Experiment]  # trial id -> experiment
    folder: SweepFolder

    @property
    def trials(self) -> str:
        """The number of trials with a result, and of failed ones (which are not counted), as text."""
        finished = sum(trial.counted is not None for trial in self.record.trials)
        failed = sum(trial.status == "failed" for trial in self.record.trials)
        message = f"{finished:,} of the grid's {len(self.experiments):,} trials"
        return f"{message} ({failed:,} failed)" if failed else message


def studied(asked: Request) -> Study:
    """Train the requested trials that have no result, and read all of the grid's trials in the folder.

    Raises UsageError for a folder that holds another sweep.
    """
    return swept(GRID, both(asked.scale), asked, FIGURES)


def swept(name: str, made: Grid, asked: Request, published: Published) -> Study:
    """Like `studied`, for any grid of `ebgan sweep`."""
    folder = SweepFolder(asked.out)
    _check(name, folder, asked)
    experiments = {trial.id: trial.experiment for trial in made.trials()}
    facts = {"grid": name, "scale": asked.scale}
    sweep(
        made,
        folder.path,
        workers=asked.workers,
        device=default_device(),
        limit=asked.limit,
        observer=Noted(asked),
        facts=facts,
        published=published,
    )
    study = Study(sweep_record(folder, published, experiments.keys()), experiments, folder)
    for trial in study.record.trials:
        if trial.status == "failed":
            asked.note(f"{trial.id} failed: {trial.error}")
    return study


class Noted:
    """A sweep observer that reports progress after each twentieth of the trials."""

    def __init__(self, asked: Request) -> None:
        self.note, self.said = asked.note, 0

    def standing(self, standing: Standing) -> None:
        """Report the progress if a twentieth was completed since the last report."""
        part = 20 * (standing.done + standing.failed) // max(standing.trials, 1)
        if part > self.said:
            self.said = part
            self.note(f"{standing.done:,} of {standing.trials:,} trials done, {standing.failed:,} failed")


def _check(name: str, folder: SweepFolder, asked: Request) -> None:
    if not folder.trials.is_file():
        return
    with SweepStore(folder.trials) as store:
        facts = store.facts()
    part = facts.get("grid", name).removeprefix(name)  # a part of the grid, such as mnist_grid.ebgan
    if part[:1] not in ("", ".") or facts.get("scale", asked.scale) != asked.scale:
        held = f"the sweep {facts.get('grid')} --scale {facts.get('scale')}"
        raise UsageError(f"{folder.path}: holds {held}; choose another folder, or its scale")
    if "halving" in facts:
        raise UsageError(
            f"{folder.path}: holds a sweep with halving, which trained the better trials longest; choose another folder"
        )
