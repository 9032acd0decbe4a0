"""The lock files that this process holds, and whether their folders are still where they were.

A folder that is moved or deleted under its writer would be made again by the next write, without config and lock, and a
second writer would be let in. So every write below a held folder first compares the file that is held with the path.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ebgan.errors import StorageError

_OF_MACS = 50  # F_GETPATH, which tells the path of an open file there
_LONGEST = 1024  # bytes of such a path

_held: dict[int, Path] = {}  # the path of each lock file by its descriptor


class FolderLostError(StorageError):
    """The folder that a process writes is no longer the one that it holds."""


def hold(descriptor: int, lock: Path) -> None:
    """Have `refuse_lost` watch over the folder of an open lock file."""
    _held[descriptor] = lock.absolute()


def let_go(descriptor: int) -> None:
    """Watch no longer, and close the file; nothing where it is not held."""
    if _held.pop(descriptor, None) is not None:
        os.close(descriptor)


def refuse_lost(path: Path) -> None:
    """Raise FolderLostError if the path lies in a held folder that was moved, deleted or replaced since."""
    parents = path.absolute().parents
    for descriptor, lock in _held.items():
        if lock.parent in parents and not _is_there(descriptor, lock):
            raise FolderLostError(
                f"{lock.parent}: was moved, deleted or replaced while this process wrote in it: its lock is no longer "
                f"there. Nothing more is written.{_whereabouts(descriptor)}"
            )


def _is_there(descriptor: int, lock: Path) -> bool:
    """Whether the path still leads to the file that is held."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(lock))
    except OSError:
        return False


def _whereabouts(descriptor: int) -> str:
    """Where the folder is now, if the system tells."""
    path = _path_of(descriptor)
    return f" The folder is now {path.parent}." if path and _is_there(descriptor, path) else ""


def _path_of(descriptor: int) -> Path | None:
    try:
        return Path(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115 - no link of the file system
    except OSError:
        pass
    try:
        return Path(os.fsdecode(fcntl.fcntl(descriptor, _OF_MACS, bytes(_LONGEST)).rstrip(b"\0")))
    except OSError:
        return None


def _let_go_in_child() -> None:
    """Let a loader's forked worker that outlives a killed trainer not hold its lock."""
    for descriptor in list(_held):
        let_go(descriptor)


os.register_at_fork(after_in_child=_let_go_in_child)
