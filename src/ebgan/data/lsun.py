"""LSUN's lmdb databases, one a category: a key for each picture, and its file as the value."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, final

from ebgan.data.store import Entry, Kept, Store, in_order, printable, stamp
from ebgan.errors import DataError

_FILE = "data.mdb"


@final
@dataclass(frozen=True)
class Database(Store):
    """The pictures in a folder with a `data.mdb`. Needs the package lmdb."""

    path: Path

    def entries(self) -> list[Entry]:
        try:
            with self._opened().begin() as transaction:
                keys = list(transaction.cursor().iternext(keys=True, values=False))
        except Exception as error:  # lmdb has an error class for each thing that can be wrong
            if isinstance(error, DataError):
                raise
            raise DataError(f"{self.path}: not an lmdb database, or a damaged one ({error}). Get it again.") from error
        return in_order([Entry(printable(key.decode("utf-8", "backslashreplace")), key) for key in keys])

    def content(self, entry: Entry) -> Path | BinaryIO:
        with self._opened().begin(buffers=False) as transaction:
            return io.BytesIO(transaction.get(entry.where))

    def version(self, entry: Entry) -> str:  # noqa: ARG002 - one for all
        return stamp(self.path / _FILE)

    def _opened(self) -> Any:
        return _OPENED.of(self.path, self.path / _FILE)


def is_database(folder: Path) -> bool:
    """Whether a folder holds an lmdb database."""
    return (folder / _FILE).is_file()


def _open(path: Path) -> Any:
    """The database, whose pages lie all in its file: one beyond its end would kill the process."""
    try:
        import lmdb
    except ImportError as error:
        raise DataError(f"{path}: an lmdb database; to read it, install lmdb: pip install 'ebgan[lmdb]'") from error
    database = lmdb.open(str(path), readonly=True, lock=False, readahead=False)
    needed, there = (database.info()["last_pgno"] + 1) * database.stat()["psize"], (path / _FILE).stat().st_size
    if there < needed:
        database.close()
        raise DataError(f"{path / _FILE}: cut short: {there:,} of {needed:,} bytes are there. Get it again.")
    return database


_OPENED = Kept[Any](_open, lambda database: database.close())  # it may not be opened twice by one process
