"""The examiner of runs on images: pictures from fixed noise, and metrics of fresh samples."""

from __future__ import annotations

import functools
import warnings
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from ebgan.data import UNKNOWN, Images
from ebgan.errors import DataError
from ebgan.experiment import Data
from ebgan.experiment.labelled import test_set
from ebgan.metrics import (
    HeldOut,
    Measurement,
    RealReference,
    TrainedClassifier,
    digit_classifier,
    evaluate,
    evaluate_quickly,
)
from ebgan.metrics.classifier import refusal
from ebgan.nets.base import ByClass
from ebgan.randomness import Randomness
from ebgan.report import beside, grid, save_png
from ebgan.runs.examiners.base import METRIC_SEED, RunExaminer
from ebgan.runs.run import Run
from ebgan.storage.runfolder import Record

REAL_IMAGES = 10_000  # most real images to compare with


@final
class Examiner(RunExaminer):
    """Draws samples from fixed noise, and computes metrics of fresh samples."""

    def __init__(self, run: Run, data: Images, samples: int) -> None:
        """`samples` is the number of samples for metrics."""
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
        samples, measures = self._samples(), self._measures()
        record = self._record(evaluate(samples, *measures))
        record["metrics"] |= named_as_asked(self.run, measures[0].probabilities(samples))
        return record

    def measure_quickly(self) -> Record:
        """The cheap metrics of `measure`, on the same samples."""
        return self._record(evaluate_quickly(self._samples(), *self._measures()))

    def score(self, evaluation: Record) -> float:
        """The score I' (`i_usual`) of an evaluation."""
        return float(evaluation["metrics"]["i_usual"])

    @property
    def measurable(self) -> bool:
        """Whether a classifier has learned the data's classes; the first call trains it."""
        return self.obstacle is None and self.doubt is None

    @property
    def doubt(self) -> str | None:
        """Why the classifier of the data, trained at the first call, cannot judge samples; None if it can."""
        return _yardstick(self.data, self.run.experiment.data, self.run.device)[0].doubt

    @property
    def obstacle(self) -> str | None:
        """Why no classifier can be trained on the data; None if one can."""
        labels = self.data.labels
        if labels is None:
            return "it has no classes"
        if UNKNOWN in labels:
            return "the class of some images is not known"
        return refusal(tuple(self.data.images.shape), torch.from_numpy(labels))

    def _record(self, evaluation: Measurement) -> Record:
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


def named_as_asked(run: Run, probabilities: Float[Tensor, "samples classes"]) -> dict[str, float]:
    """The share of a run's samples that a classifier names as they were asked for; empty if the run has no classes."""
    if not isinstance(run.generator, ByClass):
        return {}
    labels = torch.arange(len(probabilities)) % run.generator.classes
    return {"named_as_asked": float((probabilities.argmax(-1) == labels).double().mean())}


def some(data: Images, count: int) -> NDArray[np.int64]:
    """The indices of `count` images of the data, drawn uniformly, since folders are sorted by class."""
    order = Randomness.of(0).permutation("examiner", len(data))
    return np.sort(order[:count].numpy())


@functools.lru_cache(maxsize=2)
def _yardstick(data: Images, spec: Data, device: torch.device) -> tuple[TrainedClassifier, RealReference]:
    """The classifier of the data, trained or from the cache, and its statistics of real images."""
    classifier = classifier_of(data, spec, device)
    return classifier, RealReference.of(torch.from_numpy(data.images[some(data, REAL_IMAGES)]), classifier)


def classifier_of(data: Images, spec: Data, device: torch.device) -> TrainedClassifier:
    """The classifier of the data's classes; data that is memory-mapped is read batch by batch."""
    assert data.labels is not None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # it is only read
        images = torch.from_numpy(data.images)
    return digit_classifier(
        images,
        torch.tensor(data.labels),
        checksum=data.checksum,
        test=lambda: _held_out(data, spec),
        device=device,
    )


def _held_out(data: Images, spec: Data) -> HeldOut | None:
    """The test set of the source, if it has the data's shape and only its classes."""
    try:
        test, _ = test_set(spec, data)
    except DataError as error:
        warnings.warn(f"The classifier is tested on images of the data, without a test set: {error}", stacklevel=2)
        return None
    if test is None or test.labels is None or not len(test) or UNKNOWN in test.labels:
        return None
    return HeldOut(torch.tensor(test.images), torch.tensor(test.labels))


def sheet(run: Run, samples: Tensor, source: Tensor | None) -> Image:
    """A grid of samples; for transitions also their source images and the reconstructions of these."""
    if source is None:
        return grid(samples)
    return beside(grid(source), grid(run.reconstruct(source)), grid(samples))
