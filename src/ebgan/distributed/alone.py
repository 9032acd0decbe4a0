"""Work that one rank does while the others wait: evaluations, pictures, checkpoints, reports.

A collective operation fails if a rank does not answer within the timeout, but work inside `alone` may take hours. So
every rank sends heartbeats to the others meanwhile, about two per second, and at the end all go on together. The others
stop waiting if a rank stops sending (it was stopped), closes its connections (it was killed), or reports an error.
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
PAUSE = 0.5  # longest time between two heartbeats, in seconds; shorter at the start, so that short work is not delayed
LENGTH = 400  # bytes of a heartbeat: a status, and the error message if the process failed
INTERRUPT = signal.SIGUSR2  # interrupts this process's own work when another process was lost


class Status(IntEnum):
    """The state of a process's own work."""

    BUSY = 0
    DONE = 1
    FAILED = 2


_groups: dict[Any, Any] = {}  # group of all processes -> a second group of the same, used only for heartbeats


def prepare(timeout: float = TIMEOUT) -> None:
    """Open the group for heartbeats, with a timeout in minutes. All ranks must call this."""
    _groups.clear()
    _groups[distributed.group.WORLD] = distributed.new_group(backend="gloo", timeout=timedelta(minutes=timeout))


@contextmanager
def alone() -> Iterator[None]:
    """A context for work of this process only; on leaving it, wait until all ranks have left it.

    All ranks must enter it, also those without work. Inside, `rank()` is (0, 1) and torch does not see the other ranks,
    so no library can start a collective operation. Raises RankLostError if another rank was lost or failed.
    """
    if rank().count == 1:
        yield
        return
    if distributed.group.WORLD not in _groups:
        prepare()
    heartbeat = _Heartbeat(_groups[distributed.group.WORLD])
    try:
        with _hidden_ranks(), heartbeat.interrupting():
            yield
    except BaseException as error:
        heartbeat.leave(Status.FAILED, f"{error}" or type(error).__name__)
        if isinstance(error, EbganError) and not heartbeat.lost:
            error.agreed = True
        raise
    heartbeat.leave(Status.DONE)
    heartbeat.raise_failure()


class _Heartbeat(threading.Thread):
    """Exchanges heartbeats with the other processes until all are done or one has failed."""

    def __init__(self, group: Any) -> None:
        super().__init__(daemon=True)
        self.group = group
        self.beat = _beat(Status.BUSY)
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
        """Exchange one heartbeat. True while some process is still busy and none has failed."""
        beats = [torch.empty_like(self.beat) for _ in range(self.group.size())]
        self.group.allgather([beats], [self.beat]).wait()
        failed = [beat for beat in beats if beat[0] == Status.FAILED]
        if failed:
            self.failure = bytes(failed[0][1:].tolist()).rstrip(b"\0").decode(errors="replace")
        return not failed and any(beat[0] == Status.BUSY for beat in beats)

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Start, and interrupt this process's work when another process is lost.

        Only the main thread can be interrupted; work in another thread is checked at its end.
        """
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
            time.sleep(0)  # lets Python handle a signal that was just sent, before the handler is removed
            signal.signal(INTERRUPT, before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if not self.left.is_set():
            self.raise_failure()

    def leave(self, status: Status, reason: str = "") -> None:
        """Report the end of this process's work, and wait until all others have ended theirs or one has failed."""
        self.beat = _beat(status, reason)
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


def _beat(status: Status, reason: str = "") -> torch.Tensor:
    """A heartbeat: LENGTH bytes, the status and the error message."""
    content = bytes([status]) + reason.encode()[: LENGTH - 1]
    return torch.tensor(list(content.ljust(LENGTH, b"\0")), dtype=torch.uint8)


@contextmanager
def _hidden_ranks() -> Iterator[None]:
    """Hide the other processes from torch, so that no code waits for them in a collective operation."""
    world = distributed.group.WORLD
    distributed.group.WORLD = None
    try:
        yield
    finally:
        distributed.group.WORLD = world
