"""Work that one process does while the others wait: evaluations, pictures, checkpoints, reports.

A collective gives up on a process that does not answer within the timeout, but work inside `alone` may take hours.
While it lasts, every process sends the others signs of life (heartbeats), about two a second; at the end all go on
together. A process that was stopped sends none, one that was killed closes its connections, and one that failed says
why: in each of these cases the others stop waiting.
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
PAUSE = 0.5  # longest time between two signs of life, in seconds; shorter at the start, so that short work ends soon
LENGTH = 400  # bytes of a sign of life: a status, and the error message of a process that failed
INTERRUPT = signal.SIGUSR2  # interrupts this process's own work when another process was lost


class Status(IntEnum):
    """The state of a process's own work."""

    BUSY = 0
    DONE = 1
    FAILED = 2


_groups: dict[Any, Any] = {}  # group of all processes -> a second group of the same, used only for signs of life


def prepare(timeout: float = TIMEOUT) -> None:
    """Open the group for signs of life, in which a process has `timeout` minutes to send one. All ranks call this."""
    _groups.clear()
    _groups[distributed.group.WORLD] = distributed.new_group(backend="gloo", timeout=timedelta(minutes=timeout))


@contextmanager
def alone() -> Iterator[None]:
    """Do this process's own work inside, then wait until all other processes have done theirs.

    All ranks enter it, also those without work. Inside, `rank()` is that of a process that trains alone, and no
    library can enter a collective. Raises RankLostError if another process was lost or failed.
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
        self.listening = False  # whether that work can be interrupted by INTERRUPT
        self.lock = threading.Lock()
        self.lost: RuntimeError | None = None  # the error that ended the connection
        self.failure: str | None = None  # the message of the first process that failed

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
        """Exchange one sign of life. True while some process is still at work and none has failed."""
        signs = [torch.empty_like(self.sign) for _ in range(self.group.size())]
        self.group.allgather([signs], [self.sign]).wait()
        failed = [sign for sign in signs if sign[0] == Status.FAILED]
        if failed:
            self.failure = bytes(failed[0][1:].tolist()).rstrip(b"\0").decode(errors="replace")
        return not failed and any(sign[0] == Status.BUSY for sign in signs)

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Start, and interrupt this process's work if another is lost; outside the main thread only at its end."""
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
            time.sleep(0)  # a signal sent just now is delivered before the handler is removed
            signal.signal(INTERRUPT, before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if not self.left.is_set():
            self.raise_failure()

    def leave(self, status: Status, reason: str = "") -> None:
        """End this process's own work, tell the others how, and wait until they have ended theirs or one has failed."""
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
    """Hide the other processes from torch: code that finds them would wait for them in a collective."""
    world = distributed.group.WORLD
    distributed.group.WORLD = None
    try:
        yield
    finally:
        distributed.group.WORLD = world
