"""Figure 9 of the EBGAN paper: what the margin does. A small one drops modes, an overly large one is unstable.

    margins of the paper    1, 2, 4, 6, 8, 12, 16, 32, in units of the L2 norm of 32x32 images in [-1, 1]

`paper` has the figure's own nets (sizeG 1600) and the length of `mnist.ebgan`; `cpu` has that recipe's nets (sizeG 800)
and three epochs; `tiny` has narrow nets on the 8x8 digits, with margins a quarter as large.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ebgan.experiment import Data, Evaluation, Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import EBGAN
from ebgan.recipes.claims import Claim, Findings, Request
from ebgan.recipes.grid_best import picture_of
from ebgan.recipes.grid_study import Study, swept
from ebgan.recipes.index import Scale, grid
from ebgan.recipes.mnist import EPOCH
from ebgan.recipes.mnist import ebgan as mnist_ebgan
from ebgan.recipes.verdicts import below
from ebgan.report import gallery
from ebgan.report.sweep import TrialRecord
from ebgan.sweeps import Grid

GRID = "margins"
MARGINS = (1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0)
COLUMNS = ("i_usual", "classes_covered", "largest_class", "energy_real", "energy_fake")


@grid(GRID, source="EBGAN, figure 9", published={})
def margins(scale: Scale) -> Grid:
    """EBGANs on MNIST that differ in their margin alone, from 1 to 32."""
    ends = tuple(margin / 4 for margin in MARGINS) if scale == "tiny" else MARGINS
    return Grid(base=_base(scale), axes={"objective.margin": ends})


def figure9(asked: Request) -> Findings:
    """Energies, classes and samples of EBGANs whose margins go from 1 to 32."""
    study = swept(GRID, margins(asked.scale), asked, {})
    trials = sorted(study.record.trials, key=lambda trial: _margin(study, trial))
    drawn = [trial for trial in trials if trial.score is not None]
    rows = [["margin", *COLUMNS], *(_row(study, trial) for trial in trials)]
    titled = [(f"m = {_margin(study, trial):g}", picture_of(study.folder, trial)) for trial in drawn]
    pictures = {"figure9": gallery(titled, 4)} if titled else {}
    return Findings(_claims(study, trials), pictures, {f"margins, {study.trials}": rows})


def _base(scale: Scale) -> Experiment:
    paper = mnist_ebgan()
    if scale == "tiny":
        nets = Nets(generator=MLPGenerator(width=50, noise=8), discriminator=MLPAutoencoder(width=64))
        small = replace(paper, data=Data(source="digits"), nets=nets)
        return replace(small, images=2_560, evaluation=Evaluation(samples=200, grid=16))
    if scale == "cpu":
        return replace(paper, images=3 * EPOCH, evaluation=Evaluation(grid=36))
    nets = replace(paper.nets, generator=MLPGenerator(width=1600))
    return replace(paper, nets=nets, evaluation=Evaluation(grid=36))


def _claims(study: Study, trials: Sequence[TrialRecord]) -> list[Claim]:
    """That margins between the smallest and the largest are the better ones, once all have a result."""
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
