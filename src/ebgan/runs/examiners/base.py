"""What every examiner is: a run in training as it looks from outside, by pictures and metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ebgan.runfolder import Record

METRIC_SEED = 1  # of the samples that metrics are taken over; pictures are of seed 0


class RunExaminer(ABC):
    """Looks at a run as it is; what trains is not touched."""

    @property
    def measurable(self) -> bool:
        """Whether metrics can be taken."""
        return True

    @abstractmethod
    def picture(self, images: int, count: int) -> None:
        """Draw the run after so many images seen, with `count` samples, always of the same noise."""

    @abstractmethod
    def measure(self) -> Record:
        """All metrics: {"metrics", "histogram", "protocol"}.

        Raises DataError for other data than the run was trained on.
        """

    def measure_quickly(self) -> Record:
        """The metrics that cost next to nothing; by default all are."""
        return self.measure()

    def quick_metrics(self) -> dict[str, float]:
        """The quick metrics alone. Raises DataError as `measure` does."""
        metrics: dict[str, float] = self.measure_quickly()["metrics"]
        return metrics

    @abstractmethod
    def score(self, evaluation: Record) -> float:
        """What the best weights have most of."""
