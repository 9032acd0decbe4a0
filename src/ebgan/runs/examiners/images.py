"""What a run in training looks like from outside: pictures of a fixed noise, and metrics of fresh samples."""

from __future__ import annotations

import functools
import warnings
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from ebgan.data import UNKNOWN, Images
from ebgan.errors import DataError
from ebgan.experiment import Data
from ebgan.experiment.labelled import test_set
from ebgan.metrics import (
    Evaluation,
    HeldOut,
    RealReference,
    TrainedClassifier,
    digit_classifier,
    evaluate,
    evaluate_quickly,
)
from ebgan.metrics.classifier import refusal
from ebgan.randomness import Randomness
from ebgan.report import beside, grid, save_png
from ebgan.runfolder import Record
from ebgan.runs.examiners.base import METRIC_SEED, RunExaminer
from ebgan.runs.run import Run

REAL_IMAGES = 10_000  # at most, that samples are measured against


@final
class Examiner(RunExaminer):
    """Pictures of a fixed noise, and metrics of fresh samples."""

    def __init__(self, run: Run, data: Images, samples: int) -> None:
        """`samples` is how many the metrics are taken over."""
        self.run, self.data, self.samples = run, data, samples

    def picture(self, images: int, count: int) -> None:
        """Write a grid of `count` samples, always from the same noise, and once one of real images."""
        source = self.run.sources(count, self.data)
        save_png(sheet(self.run, self.run.sample(count, source=source), source), self.run.folder.grid(images))
        if not self.run.folder.real.exists():
            save_png(grid(self.data.images[some(self.data, count)]), self.run.folder.real)

    def measure(self) -> Record:
        """All metrics of fresh samples: {"metrics", "histogram", "protocol"}.

        Raises DataError for data without classes to tell apart, or other data than the run was trained on.
        """
        return self._record(evaluate(self._samples(), *self._measures()))

    def measure_quickly(self) -> Record:
        """Of the same samples the metrics that cost next to nothing, as `measure` gives them."""
        return self._record(evaluate_quickly(self._samples(), *self._measures()))

    def score(self, evaluation: Record) -> float:
        """What the best weights have most of."""
        return float(evaluation["metrics"]["i_usual"])

    @property
    def measurable(self) -> bool:
        """Whether a classifier can learn the data's classes, and has: the first call trains it."""
        return self.obstacle is None and self.doubt is None

    @property
    def doubt(self) -> str | None:
        """Why the classifier of the data, which the first call trains, tells nothing of samples, if it does not."""
        return _yardstick(self.data, self.run.experiment.data, self.run.device)[0].doubt

    @property
    def obstacle(self) -> str | None:
        """Why no classifier can learn the data's classes, if none can."""
        labels = self.data.labels
        if labels is None:
            return "it has no classes"
        if UNKNOWN in labels:
            return "the class of some images is not known"
        return refusal(tuple(self.data.images.shape), torch.from_numpy(labels))

    def _record(self, evaluation: Evaluation) -> Record:
        record = evaluation.as_record() | {"classes": list(self.data.classes)}
        record["protocol"]["real_set"] = f"{self.data.name}, SHA-256 {self.data.checksum[:12]}"
        return record

    def _samples(self) -> Tensor:
        source = self.run.sources(self.samples, self.data, seed=METRIC_SEED)
        return self.run.sample(self.samples, seed=METRIC_SEED, source=source)

    def _measures(self) -> tuple[TrainedClassifier, RealReference]:
        self.run.check_data(self.data)
        if not self.measurable:
            raise DataError(
                f"{self.data.name}: the metrics read samples through a classifier of the data, and "
                f"{self.obstacle or self.doubt}. Of `ebgan evaluate`, --neighbours and --inception need none"
            )
        return _yardstick(self.data, self.run.experiment.data, self.run.device)


def some(data: Images, count: int) -> NDArray[np.int64]:
    """The places of so many images of the data, drawn evenly: folders come sorted by class."""
    order = Randomness.of(0).permutation("examiner", len(data))
    return np.sort(order[:count].numpy())


@functools.lru_cache(maxsize=2)
def _yardstick(data: Images, spec: Data, device: torch.device) -> tuple[TrainedClassifier, RealReference]:
    """The classifier of the data, trained or taken from the cache, and what it says of real images."""
    classifier = classifier_of(data, spec, device)
    return classifier, RealReference.of(torch.from_numpy(data.images[some(data, REAL_IMAGES)]), classifier)


def classifier_of(data: Images, spec: Data, device: torch.device) -> TrainedClassifier:
    """The classifier of the classes of the data, which is read batch by batch where it is mapped into memory."""
    assert data.labels is not None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # nor is it written
        images = torch.from_numpy(data.images)
    return digit_classifier(
        images,
        torch.tensor(data.labels),
        checksum=data.checksum,
        test=lambda: _held_out(data, spec),
        device=device,
    )


def _held_out(data: Images, spec: Data) -> HeldOut | None:
    """The test set of the source, if it has one of its shape, and of its classes alone."""
    try:
        test, _ = test_set(spec, data)
    except DataError as error:
        warnings.warn(f"The classifier is tested on images of the data, without a test set: {error}", stacklevel=2)
        return None
    if test is None or test.labels is None or not len(test) or UNKNOWN in test.labels:
        return None
    return HeldOut(torch.tensor(test.images), torch.tensor(test.labels))


def sheet(run: Run, samples: Tensor, source: Tensor | None) -> Image:
    """A grid of samples; of transitions beside the images that they started from, and those reconstructed."""
    if source is None:
        return grid(samples)
    return beside(grid(source), grid(run.reconstruct(source)), grid(samples))
