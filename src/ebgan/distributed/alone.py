"""Work that a process does by itself while the others wait: evaluations, pictures, checkpoints, reports.

A collective gives up on a process that does not answer within the timeout. Work inside `alone` may take hours: while
it lasts, every process tells the others several times a minute that it lives, and in the end all go on together. A
process that was stopped sends no such sign, one that was killed closes its connections, and one that failed says why:
each ends the wait of the others.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import IntEnum
from types import FrameType
from typing import Any

import torch
from torch import distributed

from ebgan.distributed.exchange import RankLostError, lost, rank
from ebgan.errors import EbganError

TIMEOUT = 10.0  # minutes
PAUSE = 0.5  # seconds between two signs of life, at most; fewer where the work is short
LENGTH = 400  # bytes of a sign of life: a status, and what a process that failed has to say
INTERRUPT = signal.SIGUSR2  # what ends this process's own work where another process was lost


class Status(IntEnum):
    """What a process says of its work."""

    BUSY = 0
    DONE = 1
    FAILED = 2


_groups: dict[Any, Any] = {}  # by the group of all processes: one of the same for signs of life alone


def prepare(timeout: float = TIMEOUT) -> None:
    """Open the group for signs of life, in which a process has `timeout` minutes to send one. All ranks call this."""
    _groups.clear()
    _groups[distributed.group.WORLD] = distributed.new_group(backend="gloo", timeout=timedelta(minutes=timeout))


@contextmanager
def alone() -> Iterator[None]:
    """The work in here is this process's own; at its end it waits until all others have done theirs.

    All ranks enter it, those without work as well. In the meantime `rank()` is that of a process that trains alone,
    and no collective can be entered, by whatever library. Raises RankLostError where another process was lost or
    failed.
    """
    if rank().count == 1:
        yield
        return
    if distributed.group.WORLD not in _groups:
        prepare()
    company = _Company(_groups[distributed.group.WORLD])
    try:
        with _hidden_ranks(), company.interrupting():
            yield
    except BaseException as error:
        company.leave(Status.FAILED, f"{error}" or type(error).__name__)
        if isinstance(error, EbganError) and not company.lost:
            error.agreed = True
        raise
    company.leave(Status.DONE)
    company.raise_failure()


class _Company(threading.Thread):
    """Exchanges signs of life with the other processes until all are done or one has failed."""

    def __init__(self, group: Any) -> None:
        super().__init__(daemon=True)
        self.group = group
        self.sign = _sign(Status.BUSY)
        self.left = threading.Event()  # set when this process's own work has ended
        self.listening = False  # whether that work hears of INTERRUPT
        self.lock = threading.Lock()
        self.lost: RuntimeError | None = None  # how the connection ended
        self.failure: str | None = None  # what the first process that failed has said

    def run(self) -> None:
        begun = time.monotonic()
        try:
            while self._working():
                pause = min(PAUSE, 0.001 + (time.monotonic() - begun) / 10)
                (time.sleep if self.left.is_set() else self.left.wait)(pause)
        except RuntimeError as error:
            self.lost = error
        with self.lock:
            if (self.lost or self.failure is not None) and self.listening and not self.left.is_set():
                signal.pthread_kill(threading.main_thread().ident or 0, INTERRUPT)

    def _working(self) -> bool:
        """Exchange a sign of life: whether any process is still at work and none has failed."""
        signs = [torch.empty_like(self.sign) for _ in range(self.group.size())]
        self.group.allgather([signs], [self.sign]).wait()
        failed = [sign for sign in signs if sign[0] == Status.FAILED]
        if failed:
            self.failure = bytes(failed[0][1:].tolist()).rstrip(b"\0").decode(errors="replace")
        return not failed and any(sign[0] == Status.BUSY for sign in signs)

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Start, and let the loss of another process end this one's work, which in a thread learns of it at its end."""
        if threading.current_thread() is not threading.main_thread():
            self.start()
            yield
            return
        before = signal.signal(INTERRUPT, self._interrupt) or signal.SIG_DFL
        self.listening = True
        self.start()
        try:
            yield
        finally:
            with self.lock:
                self.left.set()
            time.sleep(0)  # one that was just sent arrives before the handler goes
            signal.signal(INTERRUPT, before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if not self.left.is_set():
            self.raise_failure()

    def leave(self, status: Status, reason: str = "") -> None:
        """End this process's own work and wait until the others know, or have ended theirs too."""
        self.sign = _sign(status, reason)
        self.left.set()
        if self.is_alive():
            self.join()

    def raise_failure(self) -> None:
        """Raise RankLostError if another process was lost or has failed."""
        if self.lost:
            raise lost(self.lost) from self.lost
        if self.failure is not None:
            error = RankLostError(f"another of the processes that train together failed: {self.failure}")
            error.agreed = True
            raise error


def _sign(status: Status, reason: str = "") -> torch.Tensor:
    content = bytes([status]) + reason.encode()[: LENGTH - 1]
    return torch.tensor(list(content.ljust(LENGTH, b"\0")), dtype=torch.uint8)


@contextmanager
def _hidden_ranks() -> Iterator[None]:
    """Let torch say that there are no other processes, since whoever asks would wait for them in a collective."""
    world = distributed.group.WORLD
    distributed.group.WORLD = None
    try:
        yield
    finally:
        distributed.group.WORLD = world
