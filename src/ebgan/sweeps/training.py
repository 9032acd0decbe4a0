"""Train a stack of trials to the end, and measure the result of each.

A trial in a stack computes the same as one trained separately: its images, noise and updates depend only on its own
seed and settings. If one diverges, the others continue. No folder is written; `ebgan train` reproduces a trial from its
config.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from ebgan.data import Dataset, Packed, Points
from ebgan.experiment import Data, Experiment
from ebgan.experiment.labelled import split
from ebgan.experiment.stacking import stacked
from ebgan.experiment.starting import start
from ebgan.randomness import Randomness
from ebgan.report import grid, png
from ebgan.runs.examiners.base import RunExaminer
from ebgan.runs.examiners.classes import ClassExaminer
from ebgan.runs.loading import assemble
from ebgan.runs.looks import examiner_of
from ebgan.runs.run import DataFacts, Run
from ebgan.training.course import Course, unwatched
from ebgan.training.recorder import Averages

CHECKS = 20  # checks in a run whether all models of a stack have diverged, which ends it
LAST = 10  # the energies of a trial are means over the last tenth of its steps
WATCHED = ("energy_real", "energy_fake")

Status = Literal["done", "diverged", "failed"]
_ALONE = threading.Lock()


@dataclass(frozen=True)
class Result:
    """The result of a trial."""

    status: Status
    score: float | None = None  # higher is better; None if samples cannot be measured
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0  # of training: the trial's share of its stack's
    images_per_second: float = 0.0  # of all models of the stack together
    picture: bytes | None = None  # a PNG of some samples
    error: str = ""


@dataclass(frozen=True)
class TrainedStack:
    """A stack after its training."""

    weights: dict[str, Tensor]  # of both players and the average, each [*models, ...]
    energies: dict[str, Tensor]  # [*models] by name, means over the end of the run
    diverged: Tensor  # [*models] images seen when a loss or gradient was not finite for the first time; 0 for never
    seconds: float

    def of(self, model: int) -> dict[str, Tensor]:
        """The weights of one model."""
        alone = self.diverged.dim() == 0
        return {name: value if alone or value.dim() == 0 else value[model] for name, value in self.weights.items()}


def run_trials(experiments: Sequence[Experiment], device: torch.device | str = "cpu") -> list[Result]:
    """Train experiments that can share a stack, and measure and draw the result of each.

    A process trains one stack at a time, even if a Dask worker has several threads, which would share its random state
    and its processor. Raises UsageError or DataError if they cannot be trained, or cannot share a stack.
    """
    with _ALONE:
        data = opened(experiments[0].data)
        trained = train_models(experiments, data, device)
        facts = DataFacts(data.shape, data.classes, data.checksum)
        run = assemble(experiments[0], facts, device)
        return [_result(trained, model, experiment, run, data) for model, experiment in enumerate(experiments)]


def train_models(experiments: Sequence[Experiment], data: Dataset, device: torch.device | str = "cpu") -> TrainedStack:
    """Train one experiment, or several along the model axis."""
    course, images = course_of(experiments, data, device), experiments[0].images
    seeds = course.game.randomness.seeds
    diverged = torch.zeros(seeds.shape, dtype=torch.int64, device=seeds.device)
    end, begun = Averages(), time.perf_counter()
    for before, seen, outcome in course.steps(images, watched=unwatched):
        diverged = torch.where(outcome.finite | (diverged > 0), diverged, seen)
        if seen > images - images // LAST:
            end.add({name: outcome.values[name] for name in WATCHED if name in outcome.values})
        if seen * CHECKS // images > before * CHECKS // images and bool((diverged > 0).all()):
            break
    diverged = diverged.cpu()  # waits for the device
    energies = {name: mean.cpu() for name, mean in end.take().items()}
    return TrainedStack(_weights(course), energies, diverged, time.perf_counter() - begun)


def course_of(experiments: Sequence[Experiment], data: Dataset, device: torch.device | str) -> Course:
    """The course of one experiment, or of several along the model axis; each model has its own labelled images."""
    experiment = stacked(experiments) if len(experiments) > 1 else experiments[0]
    if not experiments[0].objective.asks.classifies:
        return start(experiment, data, device)
    assert isinstance(data, Packed)
    labelled = [split(each, data, Randomness.of(each.seed, device)).labelled for each in experiments]
    return start(experiment, data, device, labelled=labelled if len(labelled) > 1 else labelled[0])


@functools.lru_cache(maxsize=2)
def opened(data: Data) -> Dataset:
    """Open the images or points of an experiment, and cache them for the next stack of the process."""
    return data.open()


def _weights(course: Course) -> dict[str, Tensor]:
    parts = {"generator": course.game.generator.weights(), "discriminator": course.game.discriminator.weights()}
    if course.average:
        parts["average"] = course.average.tensors
    return {f"{part}.{name}": value for part, tensors in parts.items() for name, value in tensors.items()}


def _result(trained: TrainedStack, model: int, experiment: Experiment, run: Run, data: Dataset) -> Result:
    """The result of a trial, measured like `ebgan evaluate`, with the nets in evaluation mode."""
    count = max(trained.diverged.numel(), 1)
    seconds = trained.seconds / count
    speed = experiment.images / max(seconds, 1e-9)
    images = int(trained.diverged.flatten()[model])
    if images:
        error = f"a loss or gradient was not finite in the step before {images:,} images seen"
        return Result("diverged", seconds=seconds, images_per_second=speed, error=error)
    run = replace(run, experiment=experiment)
    run.load_weights(trained.of(model))
    source = run.sources(experiment.evaluation.grid, data)
    shown = run.sample(experiment.evaluation.grid, source=source)
    if not shown.isfinite().all():
        return Result("diverged", seconds=seconds, images_per_second=speed, error="samples are not finite")
    metrics = {name: float(values.flatten()[model]) for name, values in trained.energies.items()}
    examiner = examiner_of(run, data, experiment.evaluation.samples)
    score = None
    if examiner.measurable:
        metrics |= examiner.quick_metrics()
        score = _score(examiner, metrics)
    pictured = not isinstance(data, Points) and experiment.turns.generator != 0
    picture = png(grid(shown, scale=1)) if pictured else None
    return Result("done", score, metrics, seconds, speed, picture)


def _score(examiner: RunExaminer, metrics: dict[str, float]) -> float:
    """The score, by which the best trials are chosen; for classes the accuracy on validation images.

    If all labels were used for training, there are no validation images, and the test images are used.
    """
    if isinstance(examiner, ClassExaminer):
        return 1 - metrics.get("validation_error", metrics["test_error"])
    return examiner.score({"metrics": metrics})
