"""What a run was asked for besides its game."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WATCHED = 8  # steps of a small net would take 2 % longer if each took the metrics that only a report reads


@dataclass(frozen=True)
class Plan:
    """How long, and how often what; all in images seen."""

    images: int
    pretraining: int
    epoch: int  # images in the data
    batch: int
    record: int
    picture: int
    evaluation: int
    checkpoint: int
    config: str  # hash of the config, which checkpoints carry
    waive_config: bool  # whether to go on from a checkpoint of another config
    waive_data: bool  # whether to go on on other data than the run was started on
    meta: dict[str, Any]  # what a reader of a checkpoint needs to know of the data

    def due(self, every: int, before: int, images: int) -> bool:
        """Whether something that is done every so many images is due between two counts, or at the end of the run."""
        return images // every > before // every or images >= self.images

    def watches(self, before: int, images: int) -> bool:
        """Whether a step takes the metrics that only a report reads: the last one before a record, and others."""
        due = self.due(self.record, before, images) or self.due(self.checkpoint, before, images)
        return due or before // self.batch % WATCHED == 0
