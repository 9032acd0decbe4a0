"""List the pictures of a folder, archive or database that make a set, in a fixed order and with their classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from PIL import ImageFile

from ebgan.data import tables
from ebgan.data.archive import Archive, is_archive
from ebgan.data.kinds import (
    begins_as_picture,
    counted,
    few,
    kind_of,
    named_as_picture,
    start_of,
    suffixes,
    without_pictures,
)
from ebgan.data.layout import find_split, first_folder, outer_folders, role
from ebgan.data.lsun import Database, is_database
from ebgan.data.matching import PictureNames
from ebgan.data.naming import By, Classes, by_folder, check_by, numbered, why_shards
from ebgan.data.store import Entry, Store
from ebgan.data.tree import Tree
from ebgan.errors import DataError, NoSplitError, UsageError

DOGS = "dogs"
_CELEBA_PICTURES = "img_align_celeba.zip"
_CELEBA_PARTS = {"train": ("0",), "test": ("2", "1")}  # validation (1) is used for testing if there is no part 2
_BREEDS = ("n02085620", "n02113978")  # first and last of the 118 ids of dogs among ImageNet's 1,000 classes


@dataclass(frozen=True)
class Choice:
    """Which pictures to list. Raises UsageError for an unknown value of `by`."""

    split: str = "train"
    labels: str | None = None  # the table's column that names the classes; None takes them from the folders
    classes: tuple[str, ...] = ()  # the class folders to take, or `dogs` for ImageNet's breeds; () takes all
    by: By = "auto"  # whether folders name classes: auto, folders or none

    def __post_init__(self) -> None:
        check_by(self.by)


class Listing(NamedTuple):
    """The pictures of a set, not yet decoded: some may be damaged."""

    store: Store
    entries: list[Entry]
    left_out: list[tuple[str, str]]  # files that the table of labels does not list, with the reason
    classify: Callable[[Iterable[str]], Classes]  # names of the files that could be decoded -> their labels
    notes: tuple[str, ...] = ()  # sentences: how the pictures were found, and what was left out


class _Found(NamedTuple):
    """The contents of a folder, archive or database."""

    store: Store  # where the pictures are
    entries: list[Entry]  # the pictures, named below `outer`
    tables: list[Entry]
    outer: str  # the folders `a/b/` above all pictures
    notes: tuple[str, ...]


def list_pictures(path: Path, choice: Choice | None = None) -> Listing:
    """List the pictures of a folder, archive or database.

    Raises DataError for unreadable files, NoSplitError for a missing split, UsageError for a missing class or column.
    """
    choice = choice or Choice()
    _refuse_truncated_pictures()
    place = _store(path)
    found = _look(place)
    entries, trained, notes = _of_split(place, found, choice.split)
    if choice.classes:
        entries = [entry for entry in entries if _wanted(entry.name, choice.classes)]
        if not entries:
            raise UsageError(f"{path}: no class folder is one of {', '.join(choice.classes)}")
    notes += found.notes
    if choice.labels is None:
        known = frozenset(map(first_folder, trained)) - {""} if choice.split != "train" else frozenset()
        classify = partial(by_folder, by=choice.by, known=known, outer=found.outer, shards=why_shards(trained))
        return Listing(found.store, entries, [], classify, notes)
    values = tables.column(place, found.tables, choice.labels, PictureNames([entry.name for entry in found.entries]))
    labels = {entry.where: values[entry.name] for entry in found.entries if entry.name in values}
    return _by_table(found.store, entries, labels, choice.labels, notes)


def _by_table(
    store: Store, entries: list[Entry], found: dict[Any, str], column: str, notes: tuple[str, ...]
) -> Listing:
    """Pictures whose classes come from a table; `found` maps `Entry.where` to a class."""
    labels = {entry.name: found[entry.where] for entry in entries if entry.where in found}
    listed = [entry for entry in entries if entry.name in labels]
    left_out = [(entry.name, "not in the table") for entry in entries if entry.name not in labels]

    def classify(names: Iterable[str]) -> Classes:
        return Classes(*numbered([labels[each] for each in names]), f"classes by the column {column}")

    return Listing(store, listed, left_out, classify, notes)


def _look(place: Store) -> _Found:
    """Find the pictures and the tables of a place; CelebA's zip within a folder is opened."""
    files = place.entries()
    zips = [entry for entry in files if entry.name.rpartition("/")[2] == _CELEBA_PICTURES]
    if isinstance(place, Tree) and zips:  # CelebA's authors distribute the pictures in this zip
        archive = Archive(place.path / zips[0].where)
        inner, notes = _look(archive), [f"pictures of {zips[0].name}"]
        if beside := [entry.name for entry in files if named_as_picture(entry.name)]:
            notes.append(f"left out {counted(len(beside), 'picture')} beside it ({few(beside, 3)})")
        above = zips[0].name.rpartition("/")[0]
        return inner._replace(tables=_tables(files, above), notes=(*notes, *inner.notes))
    kinds = [isinstance(place, Database) or _is_picture(place, entry) for entry in files]
    entries = [entry for entry, kind in zip(files, kinds, strict=True) if kind is not False]
    sound = [entry.name for entry, kind in zip(files, kinds, strict=True) if kind]
    if not entries and files:
        raise DataError(f"{place.path}: {without_pictures(entry.name for entry in files)}")
    outer = outer_folders(sound, lambda folder: role(folder) is not None)
    known = _tables(files, outer)
    others = {entry.name for entry in files} - {entry.name for entry in (*entries, *known)}
    kind = "is not a picture" if len(others) == 1 else "are not pictures"
    ignored = f"ignored {counted(len(others), 'file')} that {kind} ({suffixes(others)})" if others else ""
    shortened = [Entry(entry.name.removeprefix(outer), entry.where) for entry in entries]
    return _Found(place, shortened, known, outer, (ignored,) if ignored else ())


def _tables(files: list[Entry], folder: str) -> list[Entry]:
    """The tables in a folder and in the folders above it, and CelebA's lists anywhere."""
    above = {""} | {folder[:at] for at, letter in enumerate(f"{folder}/") if letter == "/"}
    found = [entry for entry in files if tables.is_table(entry.name)]
    return [
        entry
        for entry in found
        if entry.name.rpartition("/")[0] in above or entry.name.rpartition("/")[2].startswith("list_")
    ]


def _of_split(place: Store, found: _Found, split: str) -> tuple[list[Entry], tuple[str, ...], tuple[str, ...]]:
    """The pictures of a split, the names of the training pictures, and how the split was found."""
    names = [entry.name for entry in found.entries]
    parts = tables.partition(place, found.tables, PictureNames(names))
    if parts is None:
        chosen = find_split(place.path, names, split)
        kept = [Entry(chosen.names[entry.name], entry.where) for entry in found.entries if entry.name in chosen.names]
        return kept, chosen.trained, chosen.notes
    for part in _CELEBA_PARTS[split]:
        kept = [entry for entry in found.entries if parts.get(entry.name) == part]
        if kept:
            without = len(names) - len(parts)
            lost = f"; {counted(without, 'picture')} not in the list left out" if without else ""
            return kept, tuple(entry.name for entry in kept), (f"split by the list of partitions, part {part}{lost}",)
    raise NoSplitError(f"{place.path}: the list of partitions has none of these pictures in the split {split}")


def _is_picture(place: Store, entry: Entry) -> bool | None:
    """Whether a file is a picture by its name or first bytes; None if it cannot be read (it is reported later)."""
    if named_as_picture(entry.name):
        return True
    if tables.is_table(entry.name):
        return False
    try:
        return begins_as_picture(place.start(entry))
    except (OSError, ValueError):
        return None


def _refuse_truncated_pictures() -> None:
    """Raise UsageError if the program has set Pillow to accept truncated pictures."""
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise UsageError(
            "PIL.ImageFile.LOAD_TRUNCATED_IMAGES is set, and makes Pillow fill the missing part of truncated pictures "
            "with black: set it to False"
        )


def _store(path: Path) -> Store:
    if path.is_dir():
        return Database(path) if is_database(path) else Tree(path)
    if is_archive(path):
        return Archive(path)
    kind = kind_of(start_of(path)) if path.is_file() else ""
    raise DataError(f"{path}: {kind or 'neither a folder nor an archive of pictures'}")


def _wanted(name: str, classes: tuple[str, ...]) -> bool:
    first = name.partition("/")[0]
    return first in classes or (DOGS in classes and _BREEDS[0] <= first <= _BREEDS[1])
