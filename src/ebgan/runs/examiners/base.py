"""The base of examiners, which draw pictures and compute metrics of a run in training."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ebgan.storage.runfolder import Record

METRIC_SEED = 1  # of the samples for metrics; pictures use seed 0


class RunExaminer(ABC):
    """Examines the current weights of a run, and does not change training."""

    @property
    def measurable(self) -> bool:
        """Whether metrics can be computed."""
        return True

    @abstractmethod
    def picture(self, images: int, count: int) -> None:
        """Draw a picture after `images` seen, with `count` samples, always from the same noise."""

    @abstractmethod
    def measure(self) -> Record:
        """All metrics: {"metrics", "histogram", "protocol"}.

        Raises DataError for other data than the run was trained on.
        """

    def measure_quickly(self) -> Record:
        """Only the metrics that are cheap; by default all."""
        return self.measure()

    def quick_metrics(self) -> dict[str, float]:
        """The values of the quick metrics. Raises DataError as `measure` does."""
        metrics: dict[str, float] = self.measure_quickly()["metrics"]
        return metrics

    @abstractmethod
    def score(self, evaluation: Record) -> float:
        """The score of an evaluation; the best weights have the highest."""
