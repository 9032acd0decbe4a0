"""Which pictures of a place make a set, in which order, and of which classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL.Image import registered_extensions

from ebgan.data import tables
from ebgan.data.archive import Archive, is_archive
from ebgan.data.lsun import Database, is_database
from ebgan.data.store import Entry, Store
from ebgan.data.tree import Tree
from ebgan.errors import DataError, NoSplitError, UsageError

DOGS = "dogs"
SHOWN = 5  # names in a message
_CELEBA_PICTURES = "img_align_celeba.zip"
_CELEBA_PARTS = {"train": "0", "test": "2"}
_FOLDERS = {"train": ("train",), "test": ("test", "val")}  # ImageNet's test pictures have no classes
_TESTED = {"test", "val", "valid", "validation"}  # folders by which `train` is known for a split
_BREEDS = ("n02085620", "n02113978")  # of ImageNet's 1,000 classes, the 118 from the first to the last of these ids

Labels = tuple[NDArray[np.int64] | None, tuple[str, ...]]  # of each name, and the names of the classes


@dataclass(frozen=True)
class Choice:
    """What is wanted of a place."""

    split: str = "train"
    labels: str | None = None  # the column of a table that names the classes; by default folders do
    classes: tuple[str, ...] = ()  # the class folders that are wanted, or `dogs` for ImageNet's breeds; () is all


class Listing(NamedTuple):
    """The files of a set, not all of which need be pictures."""

    store: Store
    entries: list[Entry]
    left_out: list[tuple[str, str]]  # files that the table of labels does not know, with the reason
    classify: Callable[[Iterable[str]], Labels]  # names of files that turned out to be pictures -> their labels


def list_pictures(path: Path, choice: Choice | None = None) -> Listing:
    """The files of a folder, archive or database. Raises DataError or UsageError for what is not to be had."""
    choice = choice or Choice()
    place = _store(path)
    files = place.entries()
    known = [entry for entry in files if tables.is_table(entry.name)]
    parts = tables.partition(place, known)
    store, entries = _pictures(place, files)
    if parts is None:
        entries = _split(path, entries, choice.split)
    else:
        entries = [entry for entry in entries if _said_of(entry.name, parts) == _CELEBA_PARTS[choice.split]]
    if choice.classes:
        entries = [entry for entry in entries if _wanted(entry.name, choice.classes)]
        if not entries:
            raise UsageError(f"{path}: no class folder is one of {', '.join(choice.classes)}")
    if choice.labels is None:
        return Listing(store, entries, [], by_folder)
    column = tables.column(place, known, choice.labels)
    listed = [entry for entry in entries if _said_of(entry.name, column) is not None]
    left_out = [(entry.name, "not in the table") for entry in entries if _said_of(entry.name, column) is None]
    return Listing(store, listed, left_out, lambda names: _numbered([_said_of(name, column) or "" for name in names]))


def by_folder(names: Iterable[str]) -> Labels:
    """Labels by the first level of folders, if there are two or more and no picture lies outside them."""
    firsts = list(map(_first, names))
    return (None, ()) if "" in firsts or len(set(firsts)) < 2 else _numbered(firsts)


def without_class(names: Iterable[str]) -> str:
    """Why pictures have no class that lie in folders as if they had; "" where they do not."""
    names = list(names)
    folders, outside = sorted({*map(_first, names)} - {""}), [name for name in names if not _first(name)]
    if len(folders) < 2 or not outside:
        return ""
    one = len(outside) == 1
    lie = f"{outside[0]} lies" if one else f"{outside[0]} and {len(outside) - 1:,} more lie"
    mend = "it into one of them" if one else "them into these"
    return f"no picture has a class: {lie} beside the folders {_few(folders)}: move {mend}, or away"


def _first(name: str) -> str:
    """The first folder of a path, "" for a file outside of all."""
    return name.rpartition("/")[0].partition("/")[0]


def _few(words: list[str]) -> str:
    more = f" and {len(words) - SHOWN:,} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more


def _numbered(words: list[str]) -> Labels:
    classes = sorted(set(words))
    numbers = {word: number for number, word in enumerate(classes)}
    return np.array([numbers[word] for word in words], np.int64), tuple(classes)


def _store(path: Path) -> Store:
    if path.is_dir():
        return Database(path) if is_database(path) else Tree(path)
    if is_archive(path):
        return Archive(path)
    raise DataError(f"{path}: neither a folder nor an archive of pictures")


def _pictures(place: Store, files: list[Entry]) -> tuple[Store, list[Entry]]:
    """Where the pictures are: in the place itself, or in the zip in which CelebA gives them out."""
    if isinstance(place, Tree) and any(entry.name == _CELEBA_PICTURES for entry in files):
        archive = Archive(place.path / _CELEBA_PICTURES)
        return archive, archive.entries()
    return place, [entry for entry in files if not tables.is_table(entry.name)]


def _split(path: Path, entries: list[Entry], split: str) -> list[Entry]:
    """The entries of a split: those in its folder, if there is a folder `train`.

    Raises DataError where other folders with pictures lie beside it and none of them is for testing: it may be one of
    the classes.
    """
    if not any(entry.name.startswith("train/") for entry in entries):
        if split != "train":
            raise NoSplitError(f"{path}: has no {split} images of its own: all of it is train")
        return entries
    firsts = {_first(entry.name) for entry in entries if Path(entry.name).suffix.lower() in registered_extensions()}
    others = sorted(firsts - {"", "train"})
    if others and not firsts & _TESTED:
        raise DataError(
            f"{path}: has a folder train, from which alone it would be read, and beside it {_few(others)}: rename "
            "train if it is a class, or leave the others out"
        )
    for folder in _FOLDERS[split]:
        chosen = [entry for entry in entries if entry.name.startswith(f"{folder}/")]
        if chosen:
            return [Entry(entry.name.removeprefix(f"{folder}/"), entry.where) for entry in chosen]
    raise NoSplitError(f"{path}: has no folder {split}")


def _wanted(name: str, classes: tuple[str, ...]) -> bool:
    first = name.partition("/")[0]
    return first in classes or (DOGS in classes and _BREEDS[0] <= first <= _BREEDS[1])


def _said_of(name: str, column: dict[str, str]) -> str | None:
    """What a table says of a file, by its path or by its name alone."""
    return column.get(name, column.get(name.rpartition("/")[2]))
