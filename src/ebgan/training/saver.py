"""The checkpoints of a run: the newest state, and the best."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ebgan.held import FolderLostError
from ebgan.training.checkpoint import Checkpoint, publish, publish_best
from ebgan.training.course import Course
from ebgan.training.plan import Plan
from ebgan.training.state import state


@dataclass
class Saver:
    """Writes what training changes into the folder of checkpoints."""

    course: Course
    plan: Plan
    folder: Path
    best: float = float("-inf")  # the highest score of an evaluation so far
    saved: int | None = None  # images seen at the newest checkpoint

    def save(self, seconds: float) -> None:
        """Write a checkpoint, with the seconds of training so far."""
        publish(self.folder, self._checkpoint(seconds))
        self.saved = self.course.seen

    def save_best(self, score: float, seconds: float) -> None:
        """Write the weights if their evaluation's score is the highest so far."""
        if score > self.best:
            self.best = score
            publish_best(self.folder, self._checkpoint(seconds))

    @contextmanager
    def telling_what_is_saved(self) -> Iterator[None]:
        """Add to the error of a lost run folder how far its weights are saved."""
        try:
            yield
        except FolderLostError as error:
            saved = (
                "No weights were saved yet."
                if self.saved is None
                else f"The weights were last saved after {self.saved:,} images seen, in checkpoints there."
            )
            raise FolderLostError(f"{error} {saved}") from error

    def _checkpoint(self, seconds: float) -> Checkpoint:
        best = self.best if math.isfinite(self.best) else None
        return Checkpoint(
            images=self.course.seen,
            step=self.course.step,
            config=self.plan.config,
            tensors=state(self.course),
            meta={**self.plan.meta, "seconds": seconds, "best": best},
        )
