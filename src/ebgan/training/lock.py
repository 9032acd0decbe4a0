"""The lock on a run folder: one process trains in it at a time.

The kernel holds the lock (flock) and frees it when the process ends in any way, so that no stale lock remains. While
it is held, no write goes to a folder that was moved, deleted or replaced (`ebgan.held`).
"""

from __future__ import annotations

import errno
import os
import platform
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ebgan.errors import RunLockedError, StorageError
from ebgan.held import hold, let_go, refuse_lost, try_lock
from ebgan.runfolder import storage_errors

_MARK = b"process "  # the first bytes of our lock files


@contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Hold the lock file while the context lasts.

    Raises RunLockedError, which names the holder, if another process or this one holds it already, and StorageError for
    a file that is not a lock (a link, or other content), which is left as it is.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _opened(path)
    hold(descriptor, path)
    try:
        _acquire(descriptor, path)
        yield
    finally:
        let_go(descriptor)  # does nothing in a forked child that leaves the context


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):  # a BSD has the second
            raise _no_lock(path, "it is a symbolic link") from error
        raise


def _acquire(descriptor: int, path: Path) -> None:
    with storage_errors(path):
        _refuse_other(descriptor, path)
        if not try_lock(descriptor, path):
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
            raise RunLockedError(
                f"{path.parent}: {holder} trains here. Wait for it, stop it, or choose another folder."
            )
        refuse_lost(path)  # replaced after it was opened and before it was locked
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {platform.node()}\n".encode(), 0)


def _refuse_other(descriptor: int, path: Path) -> None:
    """Raise StorageError for a file that is not one of our lock files, since locking would empty it."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise _no_lock(path, "it is not a regular file")
    if found.st_nlink > 1:
        raise _no_lock(path, "it is a second name of another file (a hard link)")
    begins = os.pread(descriptor, len(_MARK), 0)
    if begins and begins != _MARK:
        raise _no_lock(path, "it holds something else")


def _no_lock(path: Path, reason: str) -> StorageError:
    return StorageError(f"{path}: is not the lock that training makes: {reason}. Move it, or choose another folder")
