"""Figure 9 of the EBGAN paper: EBGANs with different margins, which `ebgan.recipes.margins` lists."""

from __future__ import annotations

from collections.abc import Sequence

from ebgan.objectives import EBGAN
from ebgan.recipes.grid_figures import BOUNDS
from ebgan.recipes.margins import GRID, margins
from ebgan.report import gallery
from ebgan.report.trials import TrialRecord
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.grid.best import picture_of
from ebgan.reproductions.grid.study import Study, swept
from ebgan.reproductions.verdicts import below

COLUMNS = ("i_usual", "classes_covered", "largest_class", "energy_real", "energy_fake")


def figure9(asked: Request) -> Findings:
    """Energies, classes and samples of EBGANs with margins from 1 to 32."""
    study = swept(GRID, margins(asked.scale), asked, BOUNDS)
    trials = sorted(study.record.trials, key=lambda trial: _margin(study, trial))
    drawn = [trial for trial in trials if trial.score is not None]
    rows = [["margin", *COLUMNS], *(_row(study, trial) for trial in trials)]
    titled = [(f"m = {_margin(study, trial):g}", picture_of(study.folder, trial)) for trial in drawn]
    pictures = {"figure9": gallery(titled, 4)} if titled else {}
    return Findings(_claims(study, trials), pictures, {f"margins, {study.trials}": rows})


def _claims(study: Study, trials: Sequence[TrialRecord]) -> list[Claim]:
    """The claim that a margin between the smallest and the largest is best, once all have a result."""
    scores = {_margin(study, trial): trial.counted for trial in trials}
    finished = {margin: score for margin, score in scores.items() if score is not None}
    if len(finished) < len(study.experiments):
        return []
    first, *middle, last = finished.values()
    best = max(middle)
    at = next(margin for margin, score in finished.items() if score == best)
    measured = f"{best:.2f} at {at:g}, {first:.2f} and {last:.2f} at the ends"
    gap = below([max(first, last)], [best], "run")
    return [gap.claim("Best I' at a margin between the ends", "in between", measured)]


def _margin(study: Study, trial: TrialRecord) -> float:
    objective = study.experiments[trial.id].objective
    assert isinstance(objective, EBGAN)
    assert objective.margin is not None
    return objective.margin


def _row(study: Study, trial: TrialRecord) -> list[str]:
    cells = (f"{trial.metrics[name]:.3g}" if name in trial.metrics else trial.status for name in COLUMNS)
    return [f"{_margin(study, trial):g}", *cells]
