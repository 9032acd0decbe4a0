"""What a tracker of experiments has to take: hyper-parameters, numbers, pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

Setting = str | int | float | bool | None


@runtime_checkable
class Logger(Protocol):
    """A tracker of experiments, in three methods; `images` is the number of real images seen, the clock of a run."""

    def settings(self, settings: Mapping[str, Setting]) -> None:
        """Take the hyper-parameters, by path in config.yaml (`objective.margin`), once before all else."""

    def scalars(self, scalars: Mapping[str, float], images: int) -> None:
        """Take the values of a record (`energy_real`), or the metrics of an evaluation (`metrics/i_usual`)."""

    def picture(self, name: str, path: Path, images: int) -> None:
        """Take a picture, a PNG file that stays where it is."""
