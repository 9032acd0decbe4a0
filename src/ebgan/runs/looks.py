"""Pictures and evaluations of the current weights during training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ebgan.data import Dataset, Packed, Points
from ebgan.errors import CheckpointError
from ebgan.experiment.labelled import LabelledSplit
from ebgan.runs.examiners.base import RunExaminer
from ebgan.runs.examiners.classes import ClassExaminer
from ebgan.runs.examiners.images import Examiner
from ebgan.runs.examiners.points import PointsExaminer
from ebgan.runs.run import Run
from ebgan.storage.runfolder import Record, read_records, write_records
from ebgan.training.checkpoint import best_path, read
from ebgan.training.course import Course
from ebgan.training.state import state


def examiner_of(run: Run, data: Dataset, samples: int, parts: LabelledSplit | None = None) -> RunExaminer:
    """The examiner for this run and data; metrics are computed over `samples` samples.

    `parts` is the split of labelled data, if it was made already.
    """
    if isinstance(data, Packed) and run.experiment.objective.asks.classifies:
        return ClassExaminer(run, data, parts)
    return PointsExaminer(run, data, samples) if isinstance(data, Points) else Examiner(run, data, samples)


@dataclass
class RunLooks:
    """Load the current weights of training into a run, and examine it."""

    run: Run
    course: Course
    data: Dataset
    examiner: RunExaminer
    notice: Callable[[str], None]
    _doubted: bool = field(default=False, init=False)  # whether the doubt about the classifier was reported

    def picture(self, seen: int) -> None:
        """Draw samples."""
        self.run.load_weights(state(self.course))
        self.examiner.picture(seen, self.run.experiment.evaluation.grid)

    def evaluate(self, seen: int) -> Record | None:
        """Evaluate samples; None if they cannot be measured. Quick before the end, unless `evaluation.every` is set."""
        if not self.examiner.measurable:
            self._tell_doubt()
            return None
        self.run.load_weights(state(self.course))
        spec = self.run.experiment
        full = spec.evaluation.every is not None or seen >= spec.images
        return {"images": seen} | (self.examiner.measure() if full else self.examiner.measure_quickly())

    def score(self, evaluation: Record) -> float:
        """The score of an evaluation; the weights with the highest one are kept."""
        return self.examiner.score(evaluation)

    def measure_best(self) -> None:
        """Evaluate the best weights with all metrics, if their record holds only the quick ones of training."""
        run = self.run
        records, path = read_records(run.folder.evaluations), best_path(run.folder.checkpoints)
        if not records or not path.exists():
            return
        try:
            best = read(path)
            wanted = [record for record in records if record["images"] == best.images]
            if not wanted or wanted[0]["metrics"].keys() >= records[-1]["metrics"].keys():
                return
            run.load_weights(best.tensors)
        except CheckpointError as error:
            self.notice(f"the best weights are not measured: {error}")
            return
        wanted[0].update(examiner_of(run, self.data, run.experiment.evaluation.samples).measure())
        write_records(run.folder.evaluations, records)

    def _tell_doubt(self) -> None:
        examiner = self.examiner
        if isinstance(examiner, Examiner) and not examiner.obstacle and not self._doubted:
            self._doubted = True
            self.notice(f"{self.data.name}: samples have no metrics: {examiner.doubt}")
