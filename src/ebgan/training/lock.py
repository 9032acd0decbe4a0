"""The lock on a run folder: one process trains in it at a time.

The kernel holds the lock (flock) and frees it when the process ends in any way, so that none is ever left behind.
"""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ebgan.errors import RunLockedError
from ebgan.runfolder import storage_errors

_held: set[int] = set()  # descriptors of this process's lock files


@contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Hold the lock file as long as the context lasts.

    Raises RunLockedError, which names the holder, if another process or this one holds it already.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    _held.add(descriptor)
    try:
        _acquire(descriptor, path)
        yield
    finally:
        _release(descriptor)


def _acquire(descriptor: int, path: Path) -> None:
    with storage_errors(path):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
            raise RunLockedError(
                f"{path.parent}: {holder} trains here. Wait for it, stop it, or choose another folder."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {platform.node()}\n".encode(), 0)


def _release(descriptor: int) -> None:
    if descriptor in _held:  # not so in a forked child that leaves the context
        _held.remove(descriptor)
        os.close(descriptor)


def _release_in_child() -> None:
    """Let a loader's forked worker that outlives a killed trainer not hold its lock."""
    for descriptor in list(_held):
        _release(descriptor)


os.register_at_fork(after_in_child=_release_in_child)
