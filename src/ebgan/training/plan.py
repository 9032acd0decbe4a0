"""What a run was asked to do: its length, its intervals, and the checks that it may skip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WATCHED = 8  # steps of a small net would take 2 % longer if each took the metrics that only a report reads


@dataclass(frozen=True)
class Plan:
    """The length of a run and the intervals of what recurs, in images seen."""

    images: int
    batch: int
    record: int
    picture: int
    evaluation: int
    checkpoint: int
    config: str  # hash of the config, which checkpoints carry
    waive_config: bool  # whether to go on from a checkpoint of another config
    waive_data: bool  # whether to go on on other data than the run was started on
    meta: dict[str, Any]  # what a reader of a checkpoint needs to know of the data

    def due(self, every: int, before: int, seen: int) -> bool:
        """Whether something that recurs at an interval is due between two counts of images, or at the end."""
        return seen // every > before // every or seen >= self.images

    def watches(self, before: int, seen: int) -> bool:
        """Whether a step computes the metrics that only a report reads: one in eight, and the last before a record."""
        due = self.due(self.record, before, seen) or self.due(self.checkpoint, before, seen)
        return due or before // self.batch % WATCHED == 0
