"""The checkpoints of a run, the newest and the best, written by a thread while training continues.

A step waits only until its tensors are copied. One file is written at a time: the next save waits for the last one, as
do the end of a run, a signal to stop and an error.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ebgan.held import FolderLostError
from ebgan.training.checkpoint import Checkpoint, publish, publish_best
from ebgan.training.course import Course
from ebgan.training.plan import Plan
from ebgan.training.state import state


@dataclass
class Saver:
    """Save the state of training into the folder of checkpoints."""

    course: Course
    plan: Plan
    folder: Path
    best: float = float("-inf")  # the highest score of an evaluation so far
    saved: int | None = None  # images seen at the newest checkpoint that is written
    _writer: threading.Thread | None = field(default=None, init=False)
    _error: BaseException | None = field(default=None, init=False)  # of the writer, until it is raised

    def save(self, seconds: float) -> None:
        """Write a checkpoint, with the seconds of training so far. Raises the error of the last save, if any."""
        self._write(self._publish, seconds)

    def save_best(self, score: float, seconds: float) -> None:
        """Write the weights if this score is the highest so far. Raises the error of the last save, if any."""
        if score > self.best:
            self.best = score
            self._write(publish_best, seconds)

    def check(self) -> None:
        """Raise the error of a failed save, without waiting for one in progress."""
        if self._writer and not self._writer.is_alive():
            self.wait()

    def wait(self) -> None:
        """Wait until everything is written. Raises StorageError, DivergedError or FolderLostError if that failed."""
        if self._writer:
            self._writer.join()
        self._writer, error, self._error = None, self._error, None
        if error:
            raise error

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Wait for the writer at the end, also after an error; a FolderLostError then says what was saved last."""
        try:
            try:
                yield
            except BaseException:
                if self._writer:
                    self._writer.join()
                raise
            self.wait()
        except FolderLostError as error:
            saved = (
                "No weights were saved yet."
                if self.saved is None
                else f"The weights were last saved after {self.saved:,} images seen, in checkpoints there."
            )
            raise FolderLostError(f"{error} {saved}") from error

    def _write(self, publish: Callable[[Path, Checkpoint], Path], seconds: float) -> None:
        self.wait()
        checkpoint = self._checkpoint(seconds)

        def work() -> None:
            try:
                publish(self.folder, checkpoint)
            except BaseException as error:
                self._error = error

        self._writer = threading.Thread(target=work, name="checkpoint")
        self._writer.start()

    def _publish(self, folder: Path, checkpoint: Checkpoint) -> Path:
        path = publish(folder, checkpoint)
        self.saved = checkpoint.images
        return path

    def _checkpoint(self, seconds: float) -> Checkpoint:
        """The current state, its tensors copied to the CPU."""
        best = self.best if math.isfinite(self.best) else None
        tensors = {
            name: value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
            for name, value in state(self.course).items()
        }
        return Checkpoint(
            images=self.course.seen,
            step=self.course.step,
            config=self.plan.config,
            tensors=tensors,
            meta={**self.plan.meta, "seconds": seconds, "best": best},
        )
