"""What a run in training looks like from outside: pictures of a fixed noise, and metrics of fresh samples."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from ebgan.data import Augmented, Packed
from ebgan.errors import DataError
from ebgan.metrics import RealReference, TrainedClassifier, digit_classifier, evaluate
from ebgan.randomness import Randomness
from ebgan.report import beside, grid, save_png
from ebgan.run import Run
from ebgan.runfolder import Record

REAL_IMAGES = 10_000  # at most, that samples are measured against
METRIC_SEED = 1  # of the samples that metrics are taken over; pictures are of seed 0


class Examiner:
    """Looks at a run as it is; what trains is not touched."""

    def __init__(self, run: Run, data: Packed | Augmented, samples: int) -> None:
        """`samples` is how many the metrics are taken over."""
        self.run, self.data, self.samples = run, data, samples
        self._yardstick: tuple[TrainedClassifier, RealReference] | None = None

    def picture(self, images: int, count: int) -> None:
        """Write a grid of `count` samples, always from the same noise, and once one of real images."""
        source = self.run.sources(count, self.data)
        save_png(sheet(self.run, self.run.sample(count, source=source), source), self.run.folder.grid(images))
        if not self.run.folder.real.exists():
            save_png(grid(self.data.images[self._some(count)]), self.run.folder.real)

    def measure(self) -> Record:
        """Metrics of fresh samples: {"metrics", "histogram", "protocol"}.

        Raises DataError for data without classes to tell apart, or other data than the run was trained on.
        """
        self.run.check_data(self.data)
        if not self.measurable:
            raise DataError(f"{self.data.name}: has no classes, and the metrics read samples through a classifier")
        classifier, reference = self._measures()
        source = self.run.sources(self.samples, self.data, seed=METRIC_SEED)
        samples = self.run.sample(self.samples, seed=METRIC_SEED, source=source)
        record = evaluate(samples, classifier, reference).as_record()
        record["protocol"]["real_set"] = f"{self.data.name}, SHA-256 {self.data.checksum[:12]}"
        return record

    def score(self, evaluation: Record) -> float:
        """What the best weights have most of."""
        return float(evaluation["metrics"]["i_usual"])

    @property
    def measurable(self) -> bool:
        """Whether the data has classes to tell apart."""
        return len(self.data.classes) > 1

    def _some(self, count: int) -> NDArray[np.int64]:
        """The places of so many images of the data, drawn evenly: folders come sorted by class."""
        order = Randomness.of(0).permutation("examiner", len(self.data))
        return np.sort(order[:count].numpy())

    def _measures(self) -> tuple[TrainedClassifier, RealReference]:
        """The classifier of the data, trained or taken from the cache when first asked for, and what it says of it."""
        if self._yardstick is None:
            data = self.data
            assert data.labels is not None
            images, labels = torch.tensor(data.images), torch.tensor(data.labels)
            classifier = digit_classifier(images, labels, checksum=data.checksum, device=self.run.device)
            self._yardstick = classifier, RealReference.of(images[self._some(REAL_IMAGES)], classifier)
        return self._yardstick


def sheet(run: Run, samples: Tensor, source: Tensor | None) -> Image:
    """A grid of samples; of transitions beside the images that they started from, and those reconstructed."""
    if source is None:
        return grid(samples)
    return beside(grid(source), grid(run.reconstruct(source)), grid(samples))
