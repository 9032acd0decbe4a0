"""What a run that learns classes looks like from outside: its errors on images that it was told nothing of."""

from __future__ import annotations

from dataclasses import asdict
from typing import final

import torch
from torch import Tensor

from ebgan.data import Packed, scaled
from ebgan.experiment.labelled import LabelledSplit, split, told, untold
from ebgan.metrics import Classification, baseline_errors, confusion_matrix
from ebgan.randomness import Randomness
from ebgan.report import grid, save_png
from ebgan.runfolder import Record
from ebgan.runs.examiners.base import RunExaminer
from ebgan.runs.run import Run


@final
class ClassExaminer(RunExaminer):
    """The errors of a run that learns classes, on images that it was told nothing of."""

    def __init__(self, run: Run, data: Packed, parts: LabelledSplit | None = None) -> None:
        """`parts` is the split of the data, if it was made already."""
        self.run, self.data = run, data
        self.split = parts or split(run.experiment, data, Randomness.of(run.experiment.seed))
        self._baselines: dict[str, float] | None = None

    def picture(self, images: int, count: int) -> None:
        """Write a grid of `count` samples, always from the same noise, if the generator ever moves."""
        if self.run.experiment.turns.generator != 0:
            save_png(grid(self.run.sample(count)), self.run.folder.grid(images))
        if not self.run.folder.real.exists():
            save_png(grid(self.data.images[:count]), self.run.folder.real)

    def measure(self) -> Record:
        """The test error beside baselines: {"metrics", "histogram", "classification", "protocol"}.

        Raises DataError for other data than the run was trained on.
        """
        record = self.measure_quickly()
        return record | {"metrics": record["metrics"] | self._beside()}

    def measure_quickly(self) -> Record:
        """The same without the baselines. Raises DataError as `measure` does."""
        self.run.check_data(self.data)
        tested = self.split.tested
        confusion = self._confusion(tested)
        found = Classification.of(confusion, tested.classes)
        return {
            "metrics": {"test_error": found.error},
            "histogram": (confusion.sum(0) / confusion.sum()).tolist(),
            "classification": asdict(found),
            "protocol": {"tested on": self.split.source, "labelled images": self.split.labelled.shape[-1]},
        }

    def quick_metrics(self) -> dict[str, float]:
        """The test error, and that on images of the data whose class was not told, by which settings may be chosen.

        The two are nearly one where there is no test set; where every class was told there is none of the second kind.
        Raises DataError as `measure` does.
        """
        self.run.check_data(self.data)
        sets = {"test_error": self.split.tested}
        if (rest := untold(self.data, self.split.labelled)) is not None:
            sets["validation_error"] = rest
        return {name: Classification.of(self._confusion(each), each.classes).error for name, each in sets.items()}

    def score(self, evaluation: Record) -> float:
        """What the best weights have most of: images seen, since to choose by the test error were to peek at it."""
        return float(evaluation["images"])

    def _confusion(self, packed: Packed) -> Tensor:
        assert packed.labels is not None
        predicted = predict(self.run, packed).argmax(-1)
        return confusion_matrix(predicted, torch.tensor(packed.labels), len(packed.classes))

    def _beside(self) -> dict[str, float]:
        """The errors of the baselines, which learn once."""
        if self._baselines is None:
            self._baselines = baseline_errors(
                *_arrays(told(self.data, self.split.labelled)), *_arrays(self.split.tested)
            )
        return self._baselines


def predict(run: Run, packed: Packed) -> Tensor:
    """The probability [count, classes] of each class, for each image of a set."""
    rows = (scaled(torch.from_numpy(images.copy()), (-1.0, 1.0)) for images in packed.rows())
    return torch.cat([run.classify(images) for images in rows])


def _arrays(packed: Packed) -> tuple[Tensor, Tensor]:
    return torch.tensor(packed.images), torch.tensor(packed.labels)
