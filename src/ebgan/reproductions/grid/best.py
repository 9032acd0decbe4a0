"""Figure 4 of the EBGAN paper: the best GAN and EBGAN of the grid search, and the EBGAN with the pulling-away term."""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image

from ebgan.experiment import Experiment
from ebgan.objectives import EBGAN
from ebgan.recipes.grid_figures import FIGURES
from ebgan.report import gallery, grid
from ebgan.report.trials import SweepRecord, TrialRecord
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.grid.study import Study, studied
from ebgan.reproductions.grid.table1 import axes_of
from ebgan.reproductions.verdicts import below
from ebgan.runs.trainer import train
from ebgan.storage.runfolder import SweepFolder, read_records
from ebgan.sweeps import SweepStore

_BEST = {"nLayerG": "5", "nLayerD": "2", "sizeG": "800", "sizeD": "1024", "dropoutD": "0.0"}
PAPER = {  # the best of either family, at scale paper
    "EBGAN": _BEST | {"optimD": "Adam", "optimG": "Adam", "lr": "0.001"},
    "GAN": _BEST | {"sizeG": "1600", "optimD": "SGD", "optimG": "SGD", "lr": "0.01"},
}
SHOWN = 5  # best trials of each family in the table
WIDE = 300  # approximate width of a picture in pixels
PULLING_AWAY = 0.1


def figure4(asked: Request) -> Findings:
    """The best GAN and EBGAN of the grid, their samples, and the same EBGAN with the pulling-away term."""
    study = studied(asked)
    best = {name: _best(study.record, name) for name in FIGURES.heights}
    scores = {name: trials[0].score or 0.0 for name, trials in best.items() if trials}
    pictures = [(f"{name}, I' {score:.2f}", picture_of(study.folder, best[name][0])) for name, score in scores.items()]
    if "EBGAN" in scores:
        asked.note("the best EBGAN with the pulling-away term")
        pictures.append(_with_pulling_away(study.experiments[best["EBGAN"][0].id], asked))
    rows = [["family", "I'", *PAPER["EBGAN"]], *(_row(study, trial) for each in best.values() for trial in each)]
    rows += [[f"{name}, paper", "", *axes.values()] for name, axes in PAPER.items()]
    tables = {f"best configurations, {study.trials}": rows}
    return Findings(_claims(scores), {"figure4": gallery(pictures, len(pictures))} if pictures else {}, tables)


def _claims(scores: dict[str, float]) -> list[Claim]:
    """The claim that the best EBGAN scores higher than the best GAN, if both families have a result."""
    if len(scores) < len(FIGURES.heights):
        return []
    measured = " and ".join(f"{score:.2f}" for score in scores.values())
    gap = below([scores["GAN"]], [scores["EBGAN"]], "run")
    return [gap.claim("Best I': EBGAN's is above GAN's", "about 1.9 and 1.4", measured)]


def _best(record: SweepRecord, family: str) -> list[TrialRecord]:
    own = [trial for trial in record.trials if trial.family == family and trial.score is not None]
    return sorted(own, key=lambda trial: trial.score or 0.0, reverse=True)[:SHOWN]


def picture_of(folder: SweepFolder, trial: TrialRecord) -> Image.Image:
    """The samples of a trial, enlarged."""
    with SweepStore(folder.trials) as store:
        content = store.picture(trial.id)
    assert content is not None
    return _enlarged(Image.open(io.BytesIO(content)))


def _enlarged(small: Image.Image) -> Image.Image:
    factor = max(round(WIDE / small.width), 1)
    return small.convert("RGB").resize((small.width * factor, small.height * factor), Image.Resampling.NEAREST)


def _row(study: Study, trial: TrialRecord) -> list[str]:
    return [trial.family, f"{trial.score:.3f}", *axes_of(study.experiments[trial.id]).values()]


def _with_pulling_away(best: Experiment, asked: Request) -> tuple[str, Image.Image]:
    """Train the experiment with the pulling-away term in its own run folder; returns its samples with a title."""
    assert isinstance(best.objective, EBGAN)
    seen = replace(best.evaluation, every=best.images, pictures=best.images)  # once, at the end
    objective = replace(best.objective, pulling_away=PULLING_AWAY)
    experiment = replace(best, objective=objective, evaluation=seen)
    run = train(experiment, asked.out / f"ebgan_pt_{experiment.hash}")
    score = float(read_records(run.folder.evaluations)[-1]["metrics"]["i_usual"])
    return f"EBGAN-PT, I' {score:.2f}", _enlarged(grid(run.sample(experiment.evaluation.grid), scale=1))
