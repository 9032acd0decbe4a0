"""The loop: steps, and between them records, pictures, evaluations and checkpoints.

    for each step of the course:
        at intervals of images seen: record, picture, evaluation, checkpoint
        stop after a signal

Time is counted in images seen. Nothing between steps changes training: a run that is evaluated often, or stopped and
resumed, computes the same as an undisturbed run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from signal import Signals
from typing import NoReturn, Protocol, runtime_checkable

from ebgan.distributed import rank, refuse_apart
from ebgan.distributed.alone import alone
from ebgan.errors import DivergedError
from ebgan.storage.runfolder import Record
from ebgan.training.checkpoint import Checkpoint, newest
from ebgan.training.course import Course
from ebgan.training.facts import Facts
from ebgan.training.going_on import differences, refuse_lost_checkpoints, refuse_other_shape
from ebgan.training.log import Log
from ebgan.training.plan import Plan
from ebgan.training.recorder import Recorder
from ebgan.training.saver import Saver
from ebgan.training.signals import StoppedError, StopSignals, exit_code
from ebgan.training.state import restore


@runtime_checkable
class Looks(Protocol):
    """Pictures and evaluations between steps."""

    def picture(self, seen: int) -> None:
        """Draw samples."""

    def evaluate(self, seen: int) -> Record | None:
        """Evaluate samples; None if they cannot be measured."""

    def score(self, evaluation: Record) -> float:
        """The score of an evaluation; the weights with the highest one are kept."""

    def measure_best(self) -> None:
        """Evaluate the best weights with all metrics, after the end of training."""


@dataclass
class Training:
    """A run of one model in progress."""

    course: Course
    plan: Plan
    looks: Looks
    log: Log
    saver: Saver
    recorder: Recorder = field(default_factory=Recorder)

    def run(self) -> None:
        """Train to the end, from the state that `resume` restored.

        Raises DivergedError if a loss or gradient is not finite, StoppedError after a signal, and FolderLostError if
        the run folder was moved or deleted meanwhile.
        """
        steps = self.course.steps(self.plan.images, watched=self.plan.watches, paused=self.recorder.paused)
        with StopSignals() as signals, self._telling_divergence(), self.saver.writing():
            for before, seen, outcome in steps:
                self.recorder.add(seen, outcome)
                if rank().count == 1:  # several processes learn of a failed save in `alone`, at the next save
                    self.saver.check()
                self.between_steps(before, seen)
                if stop := signals.agreed(outcome.finite.device):
                    self.stop(seen, stop)

    def between_steps(self, before: int, seen: int) -> None:
        """Do what is due between `before` and `seen` images; at the end everything is due."""
        plan = self.plan
        due = partial(plan.due, before=before, seen=seen)
        self._note()
        if due(plan.record) or due(plan.checkpoint):
            self.recorder.close(seen)
        if due(plan.picture) or due(plan.evaluation) or due(plan.checkpoint):
            self.recorder.check()
            self._note()
            with self.recorder.paused(), alone():
                if due(plan.picture) and self.log.leads:
                    self.looks.picture(seen)
                if due(plan.evaluation) and self.log.leads:
                    self.examine(seen)
                if due(plan.checkpoint):
                    self.save()

    def examine(self, seen: int) -> None:
        """Evaluate, raise alarms, and keep the weights if they are the best so far."""
        if (evaluation := self.looks.evaluate(seen)) is not None:
            self.log.evaluation(evaluation)
            self.saver.save_best(self.looks.score(evaluation), self.recorder.seconds)

    def save(self) -> None:
        """Write a checkpoint while training continues; at the end of the run, wait for it."""
        if self.log.leads:
            self.saver.save(self.recorder.seconds)
            if self.course.seen >= self.plan.images:
                self.saver.wait()

    def stop(self, seen: int, signal: Signals) -> NoReturn:
        """Write a last record and a checkpoint, then raise StoppedError."""
        self._note()
        self.recorder.check()
        if seen > self.recorder.images:
            self.recorder.close(seen)
            self._note()
        with alone():
            self.save()
            self.saver.wait()
        raise StoppedError(
            f"stopped by {signal.name} after {seen:,} images seen; all is saved: the same command continues",
            exit_code(signal),
        )

    def resume(self) -> int:
        """Restore the newest valid checkpoint, if there is one, and return its images seen, or 0.

        Records of later steps are dropped, since these steps are repeated. Raises CheckpointError if no checkpoint is
        valid, the newest is for other nets, or processes that train together see different ones.
        """
        folder = self.log.folder
        found = newest(folder.checkpoints)
        seen = found[0].images if found else 0
        if not found:
            refuse_lost_checkpoints(folder, self.plan.checkpoint)
        refuse_apart(seen, self.course.progress.seen.device, f"{folder.checkpoints}: checkpoints")
        if found:
            self._take_up(*found)
        self.log.keep(seen if found else -1)
        return seen

    def _take_up(self, checkpoint: Checkpoint, warnings: list[str]) -> None:
        facts = Facts.of(checkpoint)
        refuse_other_shape(facts, self.plan)
        waived = differences(self.log.folder, self.plan, checkpoint.config, facts.data)
        restore(self.course, checkpoint.tensors, checkpoint.images)
        self.course.step, self.saver.saved = checkpoint.step, checkpoint.images
        self.saver.best = float("-inf") if facts.best is None else facts.best
        self.recorder = Recorder(checkpoint.images, facts.seconds)
        for notice in (*waived, *warnings, f"going on from {checkpoint.images:,} images seen"):
            self.log.notice(notice)

    def _note(self) -> None:
        """Write the waiting record, if there is one."""
        if record := self.recorder.take():
            self.log.record(record)

    @contextmanager
    def _telling_divergence(self) -> Iterator[None]:
        """Leave an alarm in the run folder if the run diverges."""
        try:
            yield
        except DivergedError as error:
            self.log.divergence(self.recorder.images, error)
            raise
