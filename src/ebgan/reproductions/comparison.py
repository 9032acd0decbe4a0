"""All objectives compared on ring, grid and MNIST: the same nets, the same number of images, several seeds.

Each run trains one of the recipes `toy.ring.*`, `toy.grid.*` and `mnist_comparison.*` in its own run folder. A second
call resumes runs that were stopped.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from ebgan.errors import DivergedError
from ebgan.recipes.index import find
from ebgan.recipes.methods import METHODS
from ebgan.report import gallery
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.verdicts import within
from ebgan.runs.run import Run
from ebgan.runs.trainer import train
from ebgan.storage.runfolder import read_records

STAGES = {
    "toy.ring": ("modes_covered", "high_quality", "reverse_kl"),
    "toy.grid": ("modes_covered", "high_quality", "reverse_kl"),
    "mnist_comparison": ("i_usual", "fid_classifier", "classes_covered", "largest_class"),
}
SCALES: dict[str, tuple[tuple[str, ...], int, int | None]] = {  # benchmarks, seeds, images of a run
    "tiny": (("toy.ring",), 1, 512),
    "cpu": (tuple(STAGES), 3, None),
}
COLUMNS = 5  # of the pictures side by side


@dataclass(frozen=True)
class MethodResult:
    """The results of an objective on a benchmark."""

    stage: str
    rival: str
    measures: dict[str, list[float]]  # metric, or `seconds` of training -> one number for each run that did not diverge
    picture: Image.Image | None  # the final samples of the first of these runs
    diverged: int = 0  # number of runs that diverged

    def row(self) -> list[str]:
        """The result as text: title, then mean and standard deviation of each measure."""
        lost = f" ({self.diverged} diverged)" if self.diverged else ""
        return [METHODS[self.rival].title + lost, *(spread(numbers) for numbers in self.measures.values())]


@dataclass(frozen=True)
class Comparison:
    """The folder of the runs, the number of seeds of each objective, and the length of a run."""

    out: Path
    seeds: int = 3
    images: int | None = None  # seen after pretraining, and the most in pretraining; by default the recipe's

    def entry(self, stage: str, rival: str, note: Callable[[str], None] = lambda _: None) -> MethodResult:
        """Train the unfinished runs of an objective on a benchmark, and read the results of all."""
        runs = []
        for seed in range(self.seeds):
            note(f"{stage}.{rival}, seed {seed}")
            try:
                runs.append(self._run(f"{stage}.{rival}", seed))
            except DivergedError as error:
                note(str(error))
        metrics = [read_records(run.folder.evaluations)[-1]["metrics"] for run in runs]
        measures = {name: [float(each[name]) for each in metrics] for name in STAGES[stage]}
        measures["seconds"] = [float(read_records(run.folder.stats)[-1]["seconds"]) for run in runs]
        return MethodResult(stage, rival, measures, _last_picture(runs[0]) if runs else None, self.seeds - len(runs))

    def _run(self, recipe: str, seed: int) -> Run:
        made = find(recipe).make()
        seen = replace(made.evaluation, pictures=made.images)  # one picture, at the end
        experiment = replace(made, seed=seed, evaluation=seen)
        if self.images:
            before = min(experiment.pretraining or 0, self.images)
            experiment = replace(experiment, images=self.images + before, pretraining=before)
        return train(experiment, self.out / recipe / f"seed{seed}")


def reproduce(asked: Request) -> Findings:
    """Modes, quality and time of every objective on a ring, a grid and MNIST, with equal nets and images."""
    stages, seeds, images = SCALES[asked.scale]
    contest = Comparison(asked.out, asked.seeds or seeds, images)
    entries = {stage: [contest.entry(stage, rival, asked.note) for rival in METHODS] for stage in stages}
    tables = {
        stage: [["objective", *reached[0].measures], *(entry.row() for entry in reached)]
        for stage, reached in entries.items()
    }
    drawn = {stage: pictures(reached) for stage, reached in entries.items()}
    return Findings(found_by_pulling_away(entries["toy.ring"]), drawn, tables)


def found_by_pulling_away(ring: Sequence[MethodResult]) -> list[Claim]:
    """Whether EBGAN-PT finds at least seven of the ring's modes, on average over the seeds that did not diverge."""
    modes = {entry.rival: entry.measures["modes_covered"] for entry in ring}
    if not modes["ebgan_pt"]:
        return []
    measured = f"{spread(modes['ebgan_pt'])}; EBGAN {spread(modes['ebgan']) or 'diverged'}"
    return [within(modes["ebgan_pt"], low=7).claim("Ring of 8: modes that EBGAN-PT finds", "at least 7", measured)]


def pictures(entries: Sequence[MethodResult]) -> Image.Image:
    """The samples of all objectives on a benchmark, side by side."""
    drawn = [(METHODS[entry.rival].title, entry.picture) for entry in entries if entry.picture]
    return gallery(drawn, COLUMNS)


def spread(numbers: Sequence[float]) -> str:
    """Mean and standard deviation as text."""
    if not numbers:
        return ""
    mean = statistics.fmean(numbers)
    return f"{mean:.4g}" if len(numbers) < 2 else f"{mean:.4g} +- {statistics.stdev(numbers):.2g}"


def _last_picture(run: Run) -> Image.Image:
    _, path = run.folder.grids()[-1]
    return Image.open(path).convert("RGB")
