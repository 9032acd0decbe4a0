"""The plan of a run: its length, its intervals, and the checks that it may skip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WATCHED = 8  # steps from one with metrics to the next; metrics in every step would slow a small net by 2 %


@dataclass(frozen=True)
class Plan:
    """The length of a run and the intervals of its regular work, in images seen."""

    images: int
    batch: int
    record: int
    picture: int
    evaluation: int
    checkpoint: int
    config: str  # hash of the config, stored in checkpoints
    waive_config: bool  # whether to resume from a checkpoint of another config
    waive_data: bool  # whether to resume on other data
    meta: dict[str, Any]  # facts of the data that are stored in checkpoints

    def due(self, every: int, before: int, seen: int) -> bool:
        """Whether work with the interval `every` is due between `before` and `seen` images, or at the end."""
        return seen // every > before // every or seen >= self.images

    def watches(self, before: int, seen: int) -> bool:
        """Whether a step computes `Objective.metrics`: one step in eight does, and the last before a record."""
        due = self.due(self.record, before, seen) or self.due(self.checkpoint, before, seen)
        return due or before // self.batch % WATCHED == 0
