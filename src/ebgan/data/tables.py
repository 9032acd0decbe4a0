"""Read the tables that lie beside pictures: CSV files with a column of file names, and CelebA's lists.

index.csv                  file,split,breed         a header, then a line per file; file names in any column
list_attr_celeba.txt       202599                   a count, the names of the attributes, then a line per file
list_eval_partition.txt    000001.jpg 0             a line per file: 0 train, 1 validation, 2 test
"""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

from ebgan.csv_cells import as_it_was
from ebgan.data.matching import PictureNames, TableRow
from ebgan.data.store import Entry, Store
from ebgan.errors import DataError, UsageError

_PARTITION = "list_eval_partition"
_COLUMNS = ("file", "partition")  # of the list of partitions, which has no header

_TRIED = 200  # rows used to find the column of file names

Rows = list[list[str]]


def is_table(name: str) -> bool:
    """Whether a file of this name is read as a table."""
    last = name.rpartition("/")[2].lower()
    return last.endswith((".csv", ".tsv")) or (last.startswith("list_") and last.endswith(".txt"))


def column(store: Store, tables: list[Entry], name: str, pictures: PictureNames) -> dict[str, str]:
    """The values in the column `name` of the first table that has it: picture's name -> value.

    Raises UsageError, with the known columns, if no table has it; DataError if the table names none of the pictures, a
    name fits several pictures, or two rows give one picture different values.
    """
    known: list[str] = []
    for entry in tables:
        header, *rows = _rows(store, entry) or [[]]
        header = [word.strip() for word in header]
        if name in header and len(header) > 1:
            wanted = header.index(name)
            files = file_column(rows, pictures, wanted)
            filled = [
                TableRow(line, row[files].strip(), unicodedata.normalize("NFC", row[wanted].strip()))
                for line, row in enumerate(rows, start=_first_line(entry))
                if len(row) > max(wanted, files) and row[wanted].strip()
            ]
            found = pictures.place_all(filled, f"{store.path}: the table {entry.name}")
            return {pictures.names[index]: value for index, value in found.items()}
        known += header[1:]
    there = f"there are {', '.join(known)}" if known else "there is no table"
    if tables and not known:
        there = f"{', '.join(entry.name for entry in tables)} has no columns separated by commas"
    raise UsageError(f"{store.path}: no table has a column {name!r}: {there}")


def partition(store: Store, tables: list[Entry], pictures: PictureNames) -> dict[str, str] | None:
    """CelebA's partition: picture's name -> "0", "1" or "2"; None if there is no list of partitions."""
    lists = [entry for entry in tables if entry.name.rpartition("/")[2].startswith(_PARTITION)]
    return column(store, lists, _COLUMNS[1], pictures) if lists else None


def file_column(rows: Rows, pictures: PictureNames, other: int) -> int:
    """The index of the column of file names: the one, other than `other`, whose first rows name the most pictures."""
    columns = [at for at in range(len(rows[0]) if rows else 0) if at != other]
    for tried in (rows[:_TRIED], rows):
        scores = {at: sum(_names_one(row[at], pictures) for row in tried if len(row) > at) for at in columns}
        if any(scores.values()):
            return max(columns, key=lambda at: (scores[at], -at))
    return next(iter(columns), 0)


def _names_one(given: str, pictures: PictureNames) -> bool:
    try:
        return bool(given.strip()) and pictures.find(given.strip()) is not None
    except ValueError:
        return True


def split_cells(text: str) -> Rows:
    """The cells of a table whose columns are separated by commas, semicolons or tabs. Raises csv.Error.

    The escaping of `csv_cells.safe` is undone.
    """
    lines = text.splitlines()
    first = lines[0] if lines else ""
    separator = next((mark for mark in (",", ";", "\t") if mark in first), ",")
    return [[as_it_was(cell) for cell in row] for row in csv.reader(lines, delimiter=separator)]


def _first_line(entry: Entry) -> int:
    """The line number of a table's first row after the header."""
    name = entry.name.rpartition("/")[2]
    return 2 if name.lower().endswith((".csv", ".tsv")) else 1 if name.startswith(_PARTITION) else 3


def _rows(store: Store, entry: Entry) -> Rows:
    """The header of a table and its rows."""
    try:
        content = store.content(entry)
        text = (content.read_bytes() if isinstance(content, Path) else content.read()).decode("utf-8-sig")
        if entry.name.lower().endswith((".csv", ".tsv")):
            return split_cells(text)
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{store.path}: the table {entry.name} could not be read ({error})") from error
    lines = text.splitlines()
    if entry.name.rpartition("/")[2].startswith(_PARTITION):
        return [list(_COLUMNS), *(line.split() for line in lines)]
    return [["file", *line.split()] if index == 0 else line.split() for index, line in enumerate(lines[1:])]
