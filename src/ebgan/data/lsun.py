"""Read LSUN's lmdb databases, one per category: each value is a picture file."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, final

from ebgan.data.store import Entry, Store, in_order, printable, version_of
from ebgan.errors import DataError

FILE = "data.mdb"


@final
@dataclass(frozen=True)
class Database(Store):
    """The pictures in a folder with a `data.mdb`. Needs the package lmdb, and raises DataError without it."""

    path: Path

    def entries(self) -> list[Entry]:
        try:
            with self._opened().begin() as transaction:
                keys = list(transaction.cursor().iternext(keys=True, values=False))
        except Exception as error:  # lmdb raises many classes of errors
            if isinstance(error, DataError):
                raise
            raise DataError(f"{self.path}: not an lmdb database, or a damaged one ({error}). Get it again.") from error
        return in_order([Entry(printable(key.decode("utf-8", "backslashreplace")), key) for key in keys])

    def content(self, entry: Entry) -> Path | BinaryIO:
        with self._opened().begin(buffers=False) as transaction:
            return io.BytesIO(transaction.get(entry.where))

    def version(self, entry: Entry) -> str:  # noqa: ARG002 - all entries share the file's version
        return version_of(self.path / FILE)

    def _opened(self) -> Any:
        return _opened(self.path, version_of(self.path / FILE))


def is_database(folder: Path) -> bool:
    """Whether a folder holds an lmdb database."""
    return (folder / FILE).is_file()


@lru_cache(maxsize=1)
def _opened(path: Path, version: str) -> Any:  # noqa: ARG001 - the version is part of the cache key
    """The open database; the process keeps the last one open.

    Raises DataError for a truncated file: reading a page beyond its end would kill the process.
    """
    _opened.cache_clear()  # lmdb forbids opening a database twice in one process
    try:
        import lmdb
    except ImportError as error:
        raise DataError(f"{path}: an lmdb database; to read it, install lmdb: pip install 'ebgan[lmdb]'") from error
    database = lmdb.open(str(path), readonly=True, lock=False, readahead=False)
    needed, length = (database.info()["last_pgno"] + 1) * database.stat()["psize"], (path / FILE).stat().st_size
    if length < needed:
        database.close()
        raise DataError(f"{path / FILE}: cut short: {length:,} of {needed:,} bytes are there. Get it again.")
    return database
