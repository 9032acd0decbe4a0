"""The loop: steps, and between them records, pictures, evaluations and checkpoints.

    while images < total:
        train_step, in which the generator has no turn while the discriminator is pretrained
        every so many images seen: record, picture, evaluation, checkpoint

Time is counted in images seen. Nothing between the steps moves what trains: a run that is evaluated often, or stopped
and resumed, computes what one that is left alone computes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from signal import Signals
from typing import Any, NoReturn, Protocol, runtime_checkable

from torch import Tensor

from ebgan.distributed import rank, refuse_apart
from ebgan.distributed.alone import alone
from ebgan.errors import DivergedError
from ebgan.held import FolderLostError
from ebgan.records import Batch
from ebgan.runfolder import Record, RunFolder, append_record, keep_records, read_records
from ebgan.training.alarms import Alarms
from ebgan.training.checkpoint import Checkpoint, newest, publish, publish_best
from ebgan.training.ema import Average
from ebgan.training.facts import Facts
from ebgan.training.game import Game
from ebgan.training.going_on import differences, refuse_lost_checkpoints, refuse_misfits, refuse_other_shape
from ebgan.training.plan import Plan
from ebgan.training.pretraining import survey
from ebgan.training.recorder import Recorder
from ebgan.training.signals import StoppedError, StopSignals, exit_code
from ebgan.training.step import Progress, train_step


@runtime_checkable
class Observer(Protocol):
    """An observer of a run's progress."""

    def record(self, record: Record) -> None:
        """Receive a record of stats.jsonl."""

    def notice(self, text: str) -> None:
        """Receive a message for the user."""


@dataclass
class Training:
    """A run of one model in progress: all that moves, and where it is kept."""

    game: Game
    progress: Progress
    average: Average | None
    folder: RunFolder
    plan: Plan
    batches: Callable[[int], Iterator[Batch]]  # from so many images seen on
    source: Callable[[int, int], Batch]  # what samples start from, at images seen and in a turn of the step
    observer: Observer
    picture: Callable[[int], None]  # draw the samples of the moment
    evaluate: Callable[[int], Record | None]
    score: Callable[[Record], float]  # of an evaluation; the best one is kept
    step: int = 0
    best: float = float("-inf")
    saved: int | None = None  # images seen at the newest checkpoint
    recorder: Recorder = field(default_factory=Recorder)
    leads: bool = field(default_factory=lambda: rank().index == 0)  # whether this process writes the run folder

    def run(self, images: int) -> None:
        """Train to the end, from what `resume` came back to.

        Raises DivergedError where a loss or gradient is not finite, StoppedError after a signal, FolderLostError where
        the run folder was moved or deleted meanwhile.
        """
        alarms = self.alarms_so_far()
        draw, weights = self.batches(images).__next__, self.game.generator.weights()
        with StopSignals() as signals, self.telling_what_is_saved(), self.telling_divergence():
            while images < self.plan.images:
                turns = self.game.turns.now(images) if images >= self.plan.pretraining else (1, 0)
                before, images = images, images + turns[0] * self.plan.batch
                self.progress, outcome = train_step(
                    self.game,
                    self.progress,
                    draw,
                    turns,
                    partial(self.source, before),
                    seen=before,
                    watched=self.plan.watches(before, images),
                )
                self.step += 1
                if self.average:
                    self.average.follow(weights, images - before)
                self.recorder.add(images, outcome)
                if before < self.plan.pretraining <= images:
                    self.begin(images)
                self.between_steps(before, images, alarms)
                if stop := signals.agreed(self.progress.images.device):
                    self.stop(images, stop, alarms)

    def begin(self, images: int) -> None:
        """End the pretraining: the objective begins with the energies of one pass over the data without moves."""
        self.recorder.check()
        with self.recorder.paused():
            batches = islice(self.batches(images), max(self.plan.epoch // self.plan.batch, 1))
            state = self.game.objective.begin(self.progress.objective, survey(self.game, batches))
            self.progress = self.progress._replace(objective=state)

    def between_steps(self, before: int, images: int, alarms: Alarms) -> None:
        """Do whatever is due between two counts of images seen, and all of it at the end."""
        plan = self.plan

        due = partial(plan.due, before=before, images=images)
        self.note(alarms)
        if due(plan.record) or due(plan.checkpoint):
            self.recorder.close(images)
        if due(plan.picture) or due(plan.evaluation) or due(plan.checkpoint):
            self.recorder.check()
            self.note(alarms)
            with self.recorder.paused(), alone():
                if due(plan.picture) and self.leads:
                    self.picture(images)
                if due(plan.evaluation) and self.leads:
                    self.examine(images, alarms)
                if due(plan.checkpoint):
                    self.save(images)

    def note(self, alarms: Alarms) -> None:
        """Write the waiting record, if there is one, pass it to the observer, and raise the alarms it gives."""
        record = self.recorder.take()
        if record and self.leads:
            append_record(self.folder.stats, record)
            self.observer.record(record)
            self.alarm(alarms.hear(record))

    def examine(self, images: int, alarms: Alarms) -> None:
        """Evaluate, raise the alarms that follow, and keep the weights if they are the best so far."""
        evaluation = self.evaluate(images)
        if evaluation is None:
            return
        append_record(self.folder.evaluations, evaluation)
        self.alarm(alarms.judge(evaluation))
        if self.score(evaluation) > self.best:
            self.best = self.score(evaluation)
            publish_best(self.folder.checkpoints, self.checkpoint(images))

    def alarms_so_far(self) -> Alarms:
        """What was raised, and since when each symptom lasts, from the records that are kept."""
        raised = {record["alarm"] for record in read_records(self.folder.alarms)}
        alarms = Alarms(self.plan.images, self.game.objective.asks.alarms, raised=raised)
        for record in read_records(self.folder.stats):
            alarms.hear(record)
        for evaluation in read_records(self.folder.evaluations):
            alarms.judge(evaluation)
        return alarms

    def alarm(self, raised: list[Record]) -> None:
        """Write alarms and tell the observer."""
        for alarm in raised:
            append_record(self.folder.alarms, alarm)
            self.observer.notice(f"{alarm['alarm']}: {alarm['message']}")

    @contextmanager
    def telling_divergence(self) -> Iterator[None]:
        """Leave an alarm in the run folder if the run diverges."""
        try:
            yield
        except DivergedError as error:
            if self.leads:
                images = self.recorder.images
                append_record(self.folder.alarms, {"images": images, "alarm": "divergence", "message": str(error)})
            raise

    @contextmanager
    def telling_what_is_saved(self) -> Iterator[None]:
        """Add to the error of a lost run folder how far its weights are saved."""
        try:
            yield
        except FolderLostError as error:
            saved = (
                "No weights were saved yet."
                if self.saved is None
                else (f"The weights were last saved after {self.saved:,} images seen, in checkpoints there.")
            )
            raise FolderLostError(f"{error} {saved}") from error

    def stop(self, images: int, asked: Signals, alarms: Alarms) -> NoReturn:
        """Save and leave, as asked, with a record of what came after the last one."""
        self.note(alarms)
        self.recorder.check()
        if images > self.recorder.images:
            self.recorder.close(images)
            self.note(alarms)
        with alone():
            self.save(images)
        raise StoppedError(
            f"stopped by {asked.name} after {images:,} images seen; all is saved: the same command goes on",
            exit_code(asked),
        )

    def state(self) -> dict[str, Tensor]:
        """All tensors that training changes, by name."""
        tensors = {f"generator.{name}": value for name, value in self.game.generator.state().items()}
        tensors |= {f"discriminator.{name}": value for name, value in self.game.discriminator.state().items()}
        tensors |= {f"average.{name}": value for name, value in (self.average.tensors if self.average else {}).items()}
        tensors |= _flatten("objective", self.progress.objective) | _flatten("memory", self.progress.memory)
        return tensors | (_flatten("plateau", self.progress.plateau) if self.progress.plateau else {})

    def checkpoint(self, images: int) -> Checkpoint:
        """A checkpoint of the present state."""
        best = self.best if math.isfinite(self.best) else None
        meta = {**self.plan.meta, "seconds": self.recorder.seconds, "best": best}
        return Checkpoint(images=images, step=self.step, config=self.plan.config, tensors=self.state(), meta=meta)

    def save(self, images: int) -> None:
        """Write a checkpoint."""
        if self.leads:
            publish(self.folder.checkpoints, self.checkpoint(images))
            self.saved = images

    def resume(self) -> int:
        """Go back to the newest valid checkpoint, if there is any; the images seen there.

        Records of later steps are dropped, as these will be done again. Raises CheckpointError where no checkpoint is
        valid, the newest one is of other nets, or processes that train together see different ones.
        """
        found = newest(self.folder.checkpoints)
        images = found[0].images if found else 0
        if not found:
            refuse_lost_checkpoints(self.folder, self.plan.checkpoint)
        refuse_apart(images, self.progress.images.device, f"{self.folder.checkpoints}: checkpoints")
        if found:
            self._take_up(*found)
        if self.leads:
            for path in (self.folder.stats, self.folder.evaluations, self.folder.alarms):
                keep_records(path, images if found else -1)
        return images

    def _take_up(self, checkpoint: Checkpoint, warnings: list[str]) -> None:
        facts = Facts.of(checkpoint)
        refuse_other_shape(facts, self.plan)
        waived = differences(self.folder, self.plan, checkpoint.config, facts.data)
        self.restore(checkpoint.tensors, checkpoint.images)
        self.step, self.saved = checkpoint.step, checkpoint.images
        self.best = float("-inf") if facts.best is None else facts.best
        self.recorder = Recorder(checkpoint.images, facts.seconds)
        if self.leads:
            for warning in (*waived, *warnings):
                self.observer.notice(warning)
            self.observer.notice(f"going on from {checkpoint.images:,} images seen")

    def restore(self, tensors: dict[str, Tensor], images: int) -> None:
        """Restore all tensors that training changes. Raises CheckpointError that names what does not fit."""
        refuse_misfits(self.state(), tensors)
        self.game.generator.restore(_below(tensors, "generator."))
        self.game.discriminator.restore(_below(tensors, "discriminator."))
        if self.average:
            saved = _below(tensors, "average.")
            for name, value in self.average.tensors.items():
                value.copy_(saved[name])
        objective = _unflatten("objective", self.progress.objective, tensors)
        memory = _unflatten("memory", self.progress.memory, tensors)
        plateau = _unflatten("plateau", self.progress.plateau, tensors) if self.progress.plateau else None
        self.progress = Progress(self.progress.images.new_tensor(images), objective, memory, plateau)


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _flatten(name: str, state: Any) -> dict[str, Tensor]:
    """The tensors of nested records, by the path of their fields."""
    if isinstance(state, Tensor):
        return {name: state}
    parts = (_flatten(f"{name}.{key}", value) for key, value in zip(state._fields, state, strict=True))
    return {path: tensor for part in parts for path, tensor in part.items()}


def _unflatten(name: str, like: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(like, Tensor):
        return tensors[name].to(like.device, like.dtype)
    values = (_unflatten(f"{name}.{key}", value, tensors) for key, value in zip(like._fields, like, strict=True))
    return type(like)(*values)
