"""Lock files held by this process, and a check that their folders were not moved.

If a folder is moved or deleted while a process writes into it, the next write would recreate it without config and
lock, and a second writer could start. So before every write below a locked folder, the open lock file is compared with
the file at its path.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ebgan.errors import StorageError

_F_GETPATH = 50  # fcntl command of macOS: the path of an open file
_LONGEST = 1024  # most bytes of that path

_held: dict[int, Path] = {}  # descriptor -> path of the open lock file


class FolderLostError(StorageError):
    """The folder at a path is no longer the one that this process has locked."""


def try_lock(descriptor: int, lock: Path) -> bool:
    """Lock an open file without waiting; False if another process holds the lock.

    Raises StorageError if the file system does not support locks (NFS without its lock service, some FUSE mounts).
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StorageError(
            f"{lock}: this file system cannot lock files ({error.strerror}), so two processes could write into one "
            "folder: choose a folder on another file system"
        ) from error
    return True


def hold(descriptor: int, lock: Path) -> None:
    """Register an open lock file, whose folder `refuse_lost` then checks."""
    _held[descriptor] = lock.absolute()


def let_go(descriptor: int) -> None:
    """Unregister and close a lock file, which releases the lock; does nothing if it is not registered."""
    if _held.pop(descriptor, None) is not None:
        os.close(descriptor)


def refuse_lost(path: Path) -> None:
    """Raise FolderLostError if the path lies in a locked folder that was moved, deleted or replaced."""
    parents = path.absolute().parents
    for descriptor, lock in _held.items():
        if lock.parent in parents and not _is_there(descriptor, lock):
            raise FolderLostError(
                f"{lock.parent}: was moved, deleted or replaced while this process wrote in it: its lock is no longer "
                f"there. Nothing more is written.{_whereabouts(descriptor)}"
            )


def _is_there(descriptor: int, lock: Path) -> bool:
    """Whether the file at the path is still the open lock file."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(lock))
    except OSError:
        return False


def _whereabouts(descriptor: int) -> str:
    """A sentence that says where the folder is now; "" if that is unknown."""
    path = _path_of(descriptor)
    return f" The folder is now {path.parent}." if path and _is_there(descriptor, path) else ""


def _path_of(descriptor: int) -> Path | None:
    try:
        return Path(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115 - not a link on the disk
    except OSError:
        pass
    try:
        return Path(os.fsdecode(fcntl.fcntl(descriptor, _F_GETPATH, bytes(_LONGEST)).rstrip(b"\0")))
    except OSError:
        return None


def _let_go_in_child() -> None:
    """Close the lock files in a forked process, which may outlive the trainer and would keep its locks."""
    for descriptor in list(_held):
        let_go(descriptor)


os.register_at_fork(after_in_child=_let_go_in_child)
