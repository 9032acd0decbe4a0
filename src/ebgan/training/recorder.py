"""Collect outcomes on the device into records on the host, one step late, so that no step waits for the device."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from ebgan.errors import DivergedError
from ebgan.storage.runfolder import Record
from ebgan.training.late import Late
from ebgan.training.step import Outcome


class Averages:
    """Averages of values by name on their device; each over the steps that have it."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: Counter[str] = Counter()

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add the values of a step."""
        known = self._sums.keys() & values.keys()
        if known:
            torch._foreach_add_([self._sums[name] for name in known], [values[name] for name in known])
        self._sums |= {name: value.clone() for name, value in values.items() if name not in known}
        self._counts.update(values.keys())

    def take(self) -> dict[str, Tensor]:
        """Return the averages, and begin anew."""
        averages = {name: total / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, Counter()
        return averages


class Recorder:
    """Average all values since the last record, and check that losses and gradients are finite."""

    def __init__(self, images: int = 0, seconds: float = 0.0) -> None:
        self.images = images  # at the last record
        self.seconds = seconds  # of training in all, at the last record
        self._averages = Averages()
        self._unread: tuple[int, Outcome, Late] | None = None
        self._closed: tuple[Record, dict[str, Late]] | None = None
        self._since = time.perf_counter()

    def add(self, images: int, outcome: Outcome) -> None:
        """Add a step's outcome. Raises DivergedError if the previous step's was not finite."""
        self.check()
        self._unread = (images, outcome, Late(outcome.finite))
        self._averages.add(outcome.values)

    def check(self) -> None:
        """Raise DivergedError, with the values of the step, if the last step added was not finite."""
        if self._unread is None:
            return
        images, outcome, finite = self._unread
        self._unread = None
        if not bool(finite.read().all()):
            error = DivergedError(_story(images, outcome))
            error.agreed = True  # all ranks check the same summed gradients
            raise error

    def close(self, images: int) -> None:
        """End the interval of a record and start copying its means to the host."""
        now = time.perf_counter()
        passed = now - self._since
        self.seconds += passed
        record: Record = {
            "images": images,
            "seconds": round(self.seconds, 3),
            "images_per_second": round((images - self.images) / max(passed, 1e-9), 1),
        }
        self._closed = record, {name: Late(mean) for name, mean in self._averages.take().items()}
        self.images, self._since = images, now

    def take(self) -> Record | None:
        """Return the record of the last closed interval once; after one more step it is ready without waiting."""
        if self._closed is None:
            return None
        record, means = self._closed
        self._closed = None
        return record | {name: mean.read().tolist() for name, mean in means.items()}

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Exclude time from training: that of pictures, evaluations and checkpoints."""
        begun = time.perf_counter()
        yield
        self._since += time.perf_counter() - begun


def _story(images: int, outcome: Outcome) -> str:
    values = ", ".join(f"{name} {value.float().mean().item():.4g}" for name, value in outcome.values.items())
    wrong = [name for name, value in outcome.values.items() if not bool(value.isfinite().all())]
    what = f"{', '.join(wrong)} not finite" if wrong else "a gradient was not finite"
    return (
        f"diverged in the step before {images:,} images seen: {what} ({values}). The player was not updated, and the "
        "last checkpoint is from before. Lower the learning rates, check the data, or train in fp32."
    )
