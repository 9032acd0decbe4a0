"""The examiner of a run that learns classes: its errors on images whose labels it did not see."""

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
from ebgan.runs.examiners.base import RunExaminer
from ebgan.runs.run import Run
from ebgan.storage.runfolder import Record


@final
class ClassExaminer(RunExaminer):
    """The classification errors of a run on images whose labels it did not see."""

    def __init__(self, run: Run, data: Packed, parts: LabelledSplit | None = None) -> None:
        """`parts` is the split of the data, if it was made already."""
        self.run, self.data = run, data
        self.split = parts or split(run.experiment, data, Randomness.of(run.experiment.seed))
        self._baselines: dict[str, float] | None = None

    def picture(self, images: int, count: int) -> None:
        """Write a grid of `count` samples, always from the same noise, if the generator is ever trained."""
        if self.run.experiment.turns.generator != 0:
            save_png(grid(self.run.sample(count)), self.run.folder.grid(images))
        if not self.run.folder.real.exists():
            save_png(grid(self.data.images[:count]), self.run.folder.real)

    def measure(self) -> Record:
        """The test error and those of baselines: {"metrics", "histogram", "classification", "protocol"}.

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
        """The test error, and the validation error, by which settings may be chosen.

        Validation images are images of the data whose labels were not used: if there are none, there is no validation
        error; if there is no test set, the two sets nearly coincide. Raises DataError as `measure` does.
        """
        self.run.check_data(self.data)
        sets = {"test_error": self.split.tested}
        if (rest := untold(self.data, self.split.labelled)) is not None:
            sets["validation_error"] = rest
        return {name: Classification.of(self._confusion(each), each.classes).error for name, each in sets.items()}

    def score(self, evaluation: Record) -> float:
        """The images seen: the last weights count as best, since selecting by test error would leak."""
        return float(evaluation["images"])

    def _confusion(self, packed: Packed) -> Tensor:
        assert packed.labels is not None
        predicted = predict(self.run, packed).argmax(-1)
        return confusion_matrix(predicted, torch.tensor(packed.labels), len(packed.classes))

    def _beside(self) -> dict[str, float]:
        """The errors of the baselines, which are trained once."""
        if self._baselines is None:
            self._baselines = baseline_errors(
                *_arrays(told(self.data, self.split.labelled)), *_arrays(self.split.tested)
            )
        return self._baselines


def predict(run: Run, packed: Packed) -> Tensor:
    """The class probabilities [count, classes] of the images of a set."""
    rows = (scaled(torch.from_numpy(images.copy()), (-1.0, 1.0)) for images in packed.rows())
    return torch.cat([run.classify(images) for images in rows])


def _arrays(packed: Packed) -> tuple[Tensor, Tensor]:
    return torch.tensor(packed.images), torch.tensor(packed.labels)
