"""Read and write files atomically, with errors that name the path and the reason."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ebgan.errors import StorageError, UsageError
from ebgan.storage.held import refuse_lost

_OF_THE_PATH = (  # errors that free space would not solve
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR),
    *(errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENXIO),
)


def refuse_impossible(path: Path) -> None:
    """Raise UsageError for a path that no file can have: an over-long name, or one with a zero byte."""
    try:
        path.lstat()
    except FileNotFoundError:
        return
    except ValueError as error:
        raise UsageError(f"{str(path.parent)!r}: holds a zero byte: choose another folder") from error
    except OSError as error:
        with storage_errors(path):
            raise error


def read_file(path: Path) -> bytes | None:
    """The content of a file, or None if it does not exist.

    Raises StorageError if it cannot be read or is not a regular file (a pipe, a device).
    """
    with storage_errors(path):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            refuse_endless(descriptor, path)
            return file.read()


def refuse_endless(descriptor: int, path: Path) -> None:
    """Raise StorageError if an open file is not a regular file: reading a pipe or device may never end."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise StorageError(f"{path}: is not a regular file but a pipe, a device or the like: move it away")


def write_atomically(path: Path, *pieces: bytes | memoryview) -> None:
    """Replace a file by the concatenated pieces. At any moment, even after a power cut, it has its old or new content.

    Raises StorageError if it cannot be written; the temporary file is then deleted.
    """
    refuse_lost(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with storage_errors(path, sum(map(len, pieces))):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_through(temporary, pieces)
            temporary.replace(path)
            _sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):  # report the first error, not this one
                temporary.unlink(missing_ok=True)
            raise


def sweep_temporaries(folder: Path) -> None:
    """Delete the temporary files of killed `write_atomically` calls; only for the process that holds the lock."""
    for temporary in folder.glob(".*.tmp"):
        with storage_errors(temporary):
            temporary.unlink(missing_ok=True)


def _write_through(path: Path, pieces: Sequence[bytes | memoryview]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def storage_errors(path: Path, needed: int | None = None) -> Iterator[None]:
    """Turn a write error into a StorageError that names the path and, if it may matter, the free bytes."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError(f"{path}: a name in this path is longer than the file system allows") from error
        reason = errno.errorcode.get(error.errno or 0, "unknown")
        size = "" if needed is None else f"{needed:,} bytes needed, "
        mend = f"{size}{_bytes_free(path):,} bytes free. Free some space or choose another folder"
        if error.errno in _OF_THE_PATH:
            mend = "choose another path, or change its permissions"
        raise StorageError(
            f"{path}: could not be read or written ({reason}: {error.strerror}): {mend}; the same command goes on from "
            "what is saved."
        ) from error


def _bytes_free(path: Path) -> int:
    """The free bytes on the disk of a path, which need not exist."""
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    return shutil.disk_usage(parent).free
