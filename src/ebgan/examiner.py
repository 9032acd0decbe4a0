"""What a run in training looks like from outside: pictures of a fixed noise, and metrics of fresh samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ebgan.data import Packed
from ebgan.experiment import Evaluation
from ebgan.metrics import RealReference, TrainedClassifier, digit_classifier, evaluate
from ebgan.report import grid, save_png
from ebgan.run import Run
from ebgan.runfolder import Record

REAL_IMAGES = 10_000  # at most, that samples are measured against
METRIC_SEED = 1  # of the samples that metrics are taken over; pictures are of seed 0


class Examiner:
    """Looks at a run through the weights of a moment; nothing that trains is touched."""

    def __init__(
        self, run: Run, data: Packed, settings: Evaluation, moment: Callable[[], Mapping[str, Tensor]]
    ) -> None:
        self.run, self.data, self.settings, self.moment = run, data, settings, moment
        self._yardstick: tuple[TrainedClassifier, RealReference] | None = None

    def picture(self, images: int) -> None:
        """Write a grid of samples of the moment, always from the same noise, and once one of real images."""
        self.run.take(self.moment())
        save_png(grid(self.run.sample(self.settings.grid)), self.run.folder.grid(images))
        if not self.run.folder.real.exists():
            save_png(grid(self.data.images[: self.settings.grid]), self.run.folder.real)

    def evaluate(self, images: int) -> Record | None:
        """Metrics of fresh samples of the moment as a record; None for data without classes to tell apart."""
        if len(self.data.classes) < 2:
            return None
        classifier, reference = self._measures()
        self.run.take(self.moment())
        samples = self.run.sample(self.settings.samples, seed=METRIC_SEED)
        return {"images": images, **evaluate(samples, classifier, reference).as_record()}

    def _measures(self) -> tuple[TrainedClassifier, RealReference]:
        """The classifier of the data, trained or taken from the cache when first asked for, and what it says of it."""
        if self._yardstick is None:
            data = self.data
            assert data.labels is not None
            images, labels = torch.tensor(data.images), torch.tensor(data.labels)
            classifier = digit_classifier(images, labels, checksum=data.checksum, device=self.run.device)
            self._yardstick = classifier, RealReference.of(images[:REAL_IMAGES], classifier)
        return self._yardstick
