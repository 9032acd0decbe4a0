"""The classes of images: a CSV file that names them, a set's own seen from another's, balanced draws of few from many.

    image,label
    cat/0001.png,cat
    0002.png,dog

Images are named by their paths, or as much of these as tells them apart (see `matching`). Columns may stand in another
order, and beside others. A line without a label says nothing, as does no line at all.
"""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ebgan.data.kinds import few
from ebgan.data.layout import role
from ebgan.data.matching import PictureNames, TableRow
from ebgan.data.naming import By, check_by
from ebgan.data.packed import UNKNOWN, Packed
from ebgan.data.tables import split_cells
from ebgan.errors import DataError, UsageError
from ebgan.randomness import Randomness

SHOWN = 3  # names of images in a message
_FILES = ("image", "file", "filename", "file_name", "path", "name", "image_id", "id")  # how columns are called
_LABELS = ("label", "class", "category", "target", "class_name")


class Matched(NamedTuple):
    """A set's images as seen by another set, whose classes it may lack or exceed."""

    images: Packed | None  # those whose class the other knows, None where there are none
    message: str  # which were left out, "" for none


def with_labels(packed: Packed, path: Path) -> Packed:
    """A set with the labels of a CSV file in place of its own, UNKNOWN where it names none.

    Raises DataError, which names file and line, for an image that is not in the set, several images by one name or two
    labels for one, and for fewer than two classes.
    """
    if packed.names is None:
        raise DataError(f"{path}: names images by their files, and {packed.name} is not of files: give a folder")
    rows = [row for row in _rows(path) if not _of_tests(row.name)]
    named = PictureNames(packed.names).place_all(rows, str(path), strict=True)
    classes = sorted(set(named.values()))
    if len(classes) < 2:
        raise DataError(f"{path}: names {len(classes)} classes ({', '.join(classes)}); expected two or more")
    labels = np.full(len(packed), UNKNOWN, np.int64)
    for place, label in named.items():
        labels[place] = classes.index(label)
    how = f"classes by {path.name}, which names {len(named):,} of the images ({few(classes, 5)})"
    return replace(packed, labels=labels, classes=tuple(classes), notes=(how, *packed.notes[1:]))


def by_asked(packed: Packed, by: By) -> Packed:
    """A set whose classes are not those of folders, as is asked: without them where none are wanted.

    Raises DataError where those of folders are wanted and the set has none.
    """
    check_by(by)
    if by == "none":
        return replace(packed, labels=None, classes=(), notes=("no classes, as was asked for", *packed.notes))
    if by == "folders" and packed.labels is None:
        raise DataError(f"{packed.name}: has no folders that name classes, and no classes of its own")
    return packed


def matched(packed: Packed, classes: tuple[str, ...]) -> Matched:
    """The images of a set with their labels as numbers of other classes of the same names."""
    if packed.labels is None:
        return Matched(None, f"{packed.name} has no classes")
    numbers = np.array([*(classes.index(name) if name in classes else UNKNOWN for name in packed.classes), UNKNOWN])
    labels = numbers[packed.labels].astype(np.int64)
    kept = np.flatnonzero(labels != UNKNOWN)
    message = _said_of_others(packed, classes)
    if not kept.size:
        return Matched(None, message or f"no class is known of an image of {packed.name}")
    if len(kept) == len(packed):
        return Matched(replace(packed, labels=labels, classes=classes), message)
    names = None if packed.names is None else tuple(packed.names[place] for place in kept)
    part = replace(packed, images=packed.images[kept], labels=labels[kept], classes=classes, names=names, path=None)
    return Matched(part, message)


def _said_of_others(packed: Packed, classes: tuple[str, ...]) -> str:
    """A message about classes that only one of two sets has."""
    assert packed.labels is not None
    counts = np.bincount(packed.labels[packed.labels != UNKNOWN], minlength=len(packed.classes))
    foreign = [f"{name} ({count:,})" for name, count in zip(packed.classes, counts, strict=True) if name not in classes]
    present = {name for name, count in zip(packed.classes, counts, strict=True) if count}
    missing = [name for name in classes if name not in present]
    parts = [f"left out are {few(foreign, 5)}, which are no classes of the data"] if foreign else []
    return "; ".join([*parts, *([f"there are none of {few(missing, 5)}"] if missing else [])])


def draw_labelled(data: Packed, count: int | None, randomness: Randomness) -> Tensor:
    """The places [*models, count] of labelled images of a set, as many of each class; all of them for None.

    Each model draws by its own seed: the first of each class in an order of the whole set. Raises UsageError where
    the count cannot be divided among the classes, or a class has too few.
    """
    if data.labels is None:
        raise DataError(f"{data.name}: has no labels: give a folder for each class, or --labels FILE")
    device = randomness.seeds.device
    labels = torch.tensor(data.labels, device=device)
    order = randomness.permutation("labels", len(data))
    ordered = labels[order]
    if count is None:
        return order[ordered != UNKNOWN].reshape(*order.shape[:-1], -1)
    each = _share(data, count)
    parts = []
    for name in range(len(data.classes)):
        chosen = ordered == name
        first = chosen & (chosen.cumsum(-1) <= each)
        parts.append(order[first].reshape(*order.shape[:-1], each))
    return torch.cat(parts, -1)


def _share(data: Packed, count: int) -> int:
    """How many images of each class add up to a count."""
    each, left = divmod(count, len(data.classes))
    if left or not each:
        raise UsageError(
            f"labelled.count={count}: the labelled images are as many of each of {len(data.classes)} classes: "
            f"choose a multiple of {len(data.classes)}"
        )
    assert data.labels is not None
    for label, name in enumerate(data.classes):
        if (found := int((data.labels == label).sum())) < each:
            raise UsageError(f"labelled.count={count}: {each} of each class, and {name} has {found}: choose fewer")
    return each


def _of_tests(name: str) -> bool:
    """Whether a name in a table means a test picture: the first of its folders that names a split decides."""
    folders = name.replace("\\", "/").split("/")[:-1]
    return next((kind for folder in folders if (kind := role(folder))), "train") != "train"


def _rows(path: Path) -> list[TableRow]:
    """The rows that have a label."""
    try:
        rows = split_cells(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: could not be read as CSV ({error})") from error
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    files, labels = _place(header, _FILES), _place(header, _LABELS)
    if files is None or labels is None:
        raise DataError(f"{path}: expected the first line `image,label`; it is `{','.join(header)[:80]}`")
    found = []
    for line, row in enumerate(rows[1:], start=2):
        if row and len(row) != len(header):
            columns = "image and label" if len(header) == 2 else f"{len(header)}, as in the first line"
            raise DataError(f"{path}, line {line}: {len(row)} columns; expected {columns}")
        if row and row[labels].strip():
            found.append(TableRow(line, row[files].strip(), unicodedata.normalize("NFC", row[labels].strip())))
    return found


def _place(header: list[str], known: tuple[str, ...]) -> int | None:
    """The column with the first of these names that exists."""
    return next((header.index(name) for name in known if name in header), None)
