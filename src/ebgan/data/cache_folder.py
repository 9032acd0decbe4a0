"""The cache folder of decoded pictures: who may write a file, and which files are deleted to make room.

KEY.packed   a packed file; its modification time is set at each use
KEY.lock     held by the process that makes KEY.packed

A process that uses a file holds a shared lock on it, so that no other process deletes it. The kernel releases the
locks when the process ends, even if it is killed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from ebgan.errors import UsageError

NO_CACHE, LIMIT = "EBGAN_NO_CACHE", "EBGAN_CACHE_GB"  # environment variables
DEFAULT_LIMIT = 10.0  # GB
_SPARE = 1 << 30  # bytes of the disk that stay free
_PATIENCE, _PAUSE = 600.0, 0.1  # seconds to wait for another process, and between two tries

_in_use: dict[Path, int] = {}  # cache file -> descriptor that holds this process's shared lock on it


def cache_wanted() -> bool:
    """Whether decoded pictures are kept: yes unless $EBGAN_NO_CACHE is set to something other than 0."""
    return os.environ.get(NO_CACHE, "") in ("", "0")


def cache_limit() -> int:
    """The size limit of the cache in bytes: $EBGAN_CACHE_GB, 10 by default. Raises UsageError for other text."""
    text = os.environ.get(LIMIT) or str(DEFAULT_LIMIT)
    try:
        gigabytes = float(text)
    except ValueError:
        gigabytes = float("nan")
    if not 0 <= gigabytes < 1e9:
        raise UsageError(f"{LIMIT}={text}: expected a number of GB, 0 or more, such as {DEFAULT_LIMIT:g}")
    return int(gigabytes * 1e9)


@dataclass(frozen=True)
class CacheFolder:
    """The cache folder; it is created when it is first written to."""

    path: Path

    @classmethod
    def of_the_user(cls) -> CacheFolder:
        """The folder `ebgan/pictures` in the user's cache folder."""
        return cls(Path(platformdirs.user_cache_dir("ebgan")) / "pictures")

    def file(self, key: str) -> Path:
        """The cache file of a key."""
        return self.path / f"{key}.packed"

    @contextmanager
    def making(self, key: str) -> Iterator[None]:
        """Hold the lock for making a key's file; other processes wait for it up to ten minutes, then go on without."""
        self.path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path / f"{key}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            patience = time.monotonic() + _PATIENCE
            while not (held := _lock(descriptor, fcntl.LOCK_EX)) and time.monotonic() < patience:
                time.sleep(_PAUSE)
            if held:
                _remove(self.path.glob(f".{key}.*.tmp"))
            yield
        finally:
            os.close(descriptor)

    def make_room(self, needed: int) -> str:
        """Delete the least recently used files until `needed` bytes fit. Returns "", or why they do not fit."""
        limit = cache_limit()
        if needed > limit:
            return f"{needed / 1e9:.1f} GB are more than the cache may take: {LIMIT} is {limit / 1e9:g}"
        self._sweep()
        kept = sorted(self.path.glob("*.packed"), key=_last_use)
        taken = sum(map(_size, kept)) + sum(map(_size, self.path.glob(".*.tmp")))
        possible = self._free() + taken >= needed
        while taken + needed > limit or self._free() < needed:
            if not possible or not kept:
                return f"{needed / 1e9:.1f} GB do not fit: other files are in use, or the disk is nearly full"
            oldest = kept.pop(0)
            size = _size(oldest)
            if _delete(oldest):
                taken -= size
        return ""

    def _free(self) -> int:
        return shutil.disk_usage(self.path).free - _SPARE

    def _sweep(self) -> None:
        """Delete unfinished files of killed processes: those whose lock nobody holds."""
        parts = self.path.glob(".*.tmp")
        _remove(part for part in parts if _unlocked(self.path / f"{part.name[1:].partition('.')[0]}.lock"))


def use(file: Path) -> None:
    """Mark a file as used now, and protect it from deletion until this process ends.

    Raises OSError if it does not exist.
    """
    if not file.is_file():
        raise FileNotFoundError(file)
    descriptor = os.open(file, os.O_RDONLY)
    _lock(descriptor, fcntl.LOCK_SH)
    with suppress(OSError):
        os.utime(file)
    before = _in_use.get(file)
    _in_use[file] = descriptor
    if before is not None:
        os.close(before)


def _remove(parts: Iterable[Path]) -> None:
    for part in parts:
        part.unlink(missing_ok=True)


def _lock(descriptor: int, kind: int) -> bool:
    """Take a lock without waiting. False if another process holds it; True on a file system without locks."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _unlocked(file: Path) -> bool:
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return not file.exists()
    try:
        return _lock(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _delete(file: Path) -> bool:
    """Delete a file unless a process uses it; returns whether it was deleted."""
    if not _unlocked(file):
        return False
    try:
        file.unlink(missing_ok=True)
        file.with_suffix(".lock").unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _last_use(file: Path) -> float:
    with suppress(OSError):
        return file.stat().st_mtime
    return 0.0


def _size(file: Path) -> int:
    with suppress(OSError):
        return file.stat().st_size
    return 0
