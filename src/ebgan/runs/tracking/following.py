"""An observer that passes a run on to a logger: records as they come, evaluations and pictures from the run folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal, final, get_args

import yaml

from ebgan.distributed import rank
from ebgan.errors import UsageError
from ebgan.runs.tracking.hosted import mlflow_logger, wandb_logger
from ebgan.runs.tracking.logger import Logger
from ebgan.runs.tracking.tensorboard import tensorboard_logger
from ebgan.storage.runfolder import Record, RunFolder, read_records
from ebgan.training.log import Observer
from ebgan.tree_walk import flat

Tracker = Literal["tensorboard", "wandb", "trackio", "mlflow"]
TRACKERS: tuple[Tracker, ...] = get_args(Tracker)


@final
class Follower:
    """An observer of the run in a folder that passes all on to a logger, and to another observer if there is one.

    What the folder held of evaluations and pictures before is not passed on again.
    """

    def __init__(self, logger: Logger, out: str | Path, beside: Observer | None = None) -> None:
        self.logger, self.folder, self.beside = logger, RunFolder(Path(out)), beside
        self._pictured = {images for images, _ in self.folder.grids()}
        self._measured = {record["images"] for record in read_records(self.folder.evaluations)}
        self._begun = False

    def record(self, record: Record) -> None:
        """Pass on a record, and what has come into the folder since the last one."""
        self._begin()
        self.catch_up(record["images"])
        numbers = {name: value for name, value in record.items() if name != "images" and _is_number(value)}
        self.logger.scalars(numbers, record["images"])
        if self.beside:
            self.beside.record(record)

    def notice(self, text: str) -> None:
        """Pass a message to the other observer."""
        if self.beside:
            self.beside.notice(text)

    def catch_up(self, until: int | None = None) -> None:
        """Pass on the evaluations and pictures that the folder has got, in their order.

        Records come a step late: what is of more than `until` images seen waits, as trackers want no step back.
        """
        new: list[tuple[int, Callable[[], None]]] = []
        for evaluation in read_records(self.folder.evaluations):
            if evaluation["images"] not in self._measured:
                new.append((evaluation["images"], partial(self._pass_metrics, evaluation)))
        for images, path in self.folder.grids():
            if images not in self._pictured:
                new.append((images, partial(self._pass_picture, images, path)))
        for images, pass_on in sorted(new, key=lambda each: each[0]):
            if until is None or images <= until:
                self._begin()
                pass_on()

    def _pass_metrics(self, evaluation: Record) -> None:
        self._measured.add(evaluation["images"])
        metrics = {f"metrics/{name}": value for name, value in evaluation["metrics"].items()}
        self.logger.scalars(metrics, evaluation["images"])

    def _pass_picture(self, images: int, path: Path) -> None:
        self._pictured.add(images)
        self.logger.picture("samples", path, images)

    def _begin(self) -> None:
        """Pass on the hyper-parameters, which stand in config.yaml once training has begun."""
        if not self._begun:
            self._begun = True
            config = yaml.safe_load(self.folder.config.read_text("utf-8")) if self.folder.config.exists() else {}
            self.logger.settings(flat(config))


@contextmanager
def tracked(tracker: Tracker | Logger, out: str | Path, beside: Observer | None = None) -> Iterator[Observer | None]:
    """An observer that passes the training in the folder `out` on to a tracker, closed at the end.

    `tracker` is a name, whose library has to be installed, or a logger of your own; `beside` is an observer that is
    told as well. Of several processes that train together only the first tracks. Raises UsageError for an unknown name
    and a missing library.
    """
    if isinstance(tracker, str) and tracker not in TRACKERS:
        raise UsageError(f"{tracker!r}: no tracker: expected {', '.join(TRACKERS)}, or a Logger")
    if rank().index > 0:
        yield beside
        return
    with _opened(tracker, Path(out)) as logger:
        follower = Follower(logger, out, beside)
        try:
            yield follower
        finally:
            follower.catch_up()


@contextmanager
def _opened(tracker: Tracker | Logger, out: Path) -> Iterator[Logger]:
    if not isinstance(tracker, str):
        yield tracker
    elif tracker == "tensorboard":
        with tensorboard_logger(out / "tensorboard") as board:
            yield board
    elif tracker == "mlflow":
        with mlflow_logger(out) as server:
            yield server
    else:
        with wandb_logger(tracker, out) as hosted:
            yield hosted


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
