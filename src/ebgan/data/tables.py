"""What a table beside the pictures says of them: a CSV file with the files' names in front, or a list of CelebA's.

index.csv                  file,split,breed         a header, then a line a file
list_attr_celeba.txt       202599                   a count, the names of the attributes, then a line a file
list_eval_partition.txt    000001.jpg 0             a line a file: 0 train, 1 validation, 2 test
"""

from __future__ import annotations

import csv
from pathlib import Path

from ebgan.data.store import Entry, Store
from ebgan.errors import DataError, UsageError

_PARTITION = "list_eval_partition"
_COLUMNS = ("file", "partition")  # of the partition's text, which has no header

Rows = list[list[str]]


def is_table(name: str) -> bool:
    """Whether a file of this name, outside of all folders, is read as a table."""
    return "/" not in name and (name.endswith(".csv") or (name.startswith("list_") and name.endswith(".txt")))


def column(store: Store, tables: list[Entry], name: str) -> dict[str, str]:
    """What a column says of each file. Raises UsageError with the columns there are if none is of that name."""
    known: list[str] = []
    for entry in tables:
        header, *rows = _rows(store, entry) or [[]]
        if name in header[1:]:
            place = header.index(name)
            return {row[0]: row[place] for row in rows if len(row) > place and row[place].strip()}
        known += header[1:]
    there = f"there are {', '.join(known)}" if known else "there is no table"
    if tables and not known:
        there = f"{', '.join(entry.name for entry in tables)} has no columns that are separated by commas"
    raise UsageError(f"{store.path}: no table has a column {name!r}: {there}")


def partition(store: Store, tables: list[Entry]) -> dict[str, str] | None:
    """Of which part, 0, 1 or 2, each file of CelebA is, or None where no list says so."""
    lists = [entry for entry in tables if entry.name.startswith(_PARTITION)]
    return column(store, lists, _COLUMNS[1]) if lists else None


def _rows(store: Store, entry: Entry) -> Rows:
    """The header of a table and its rows."""
    try:
        content = store.content(entry)
        text = (content.read_bytes() if isinstance(content, Path) else content.read()).decode("utf-8-sig")
        lines = text.splitlines()
        if entry.name.endswith(".csv"):
            return list(csv.reader(lines))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{store.path}: the table {entry.name} could not be read ({error})") from error
    if entry.name.startswith(_PARTITION):
        return [list(_COLUMNS), *(line.split() for line in lines)]
    return [["file", *line.split()] if place == 0 else line.split() for place, line in enumerate(lines[1:])]
