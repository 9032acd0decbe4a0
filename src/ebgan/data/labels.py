"""Labels: read them from a CSV file, match the classes of two sets, and draw a balanced labelled subset.

    image,label
    cat/0001.png,cat
    0002.png,dog

Images are named by their paths, or by a part of the path that is unique (see `matching`). The columns may come in any
order and among others. An image without a line, or without a label on its line, has no known class.
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
_FILES = ("image", "file", "filename", "file_name", "path", "name", "image_id", "id")  # names of the images' column
_LABELS = ("label", "class", "category", "target", "class_name")  # names of the labels' column


class Matched(NamedTuple):
    """The images of a set that belong to the classes of another set."""

    images: Packed | None  # those images, labelled by the other set's classes; None if there are none
    message: str  # which classes were left out or are missing; "" if none


def with_labels(packed: Packed, path: Path) -> Packed:
    """Replace the labels of a set by those in a CSV file; images that the file does not label become UNKNOWN.

    Raises DataError, with file and line, for an image that is not in the set, a name that fits several images, two
    different labels of one image, and for fewer than two classes.
    """
    if packed.names is None:
        raise DataError(f"{path}: labels images by file name, and {packed.name} has no file names: give a folder")
    rows = [row for row in _rows(path) if not _in_test_folder(row.name)]
    named = PictureNames(packed.names).place_all(rows, str(path), strict=True)
    classes = sorted(set(named.values()))
    if len(classes) < 2:
        raise DataError(f"{path}: names {len(classes)} classes ({', '.join(classes)}); expected two or more")
    labels = np.full(len(packed), UNKNOWN, np.int64)
    for index, label in named.items():
        labels[index] = classes.index(label)
    how = f"classes by {path.name}, which labels {len(named):,} of the images ({few(classes, 5)})"
    return replace(packed, labels=labels, classes=tuple(classes), notes=(how, *packed.notes[1:]))


def by_asked(packed: Packed, by: By) -> Packed:
    """Apply the option `data.classes` to a set whose classes do not come from folders: "none" drops its classes.

    Raises DataError for "folders" if the set has no classes, UsageError for an unknown value.
    """
    check_by(by)
    if by == "none":
        return replace(packed, labels=None, classes=(), notes=("no classes, as requested", *packed.notes))
    if by == "folders" and packed.labels is None:
        raise DataError(f"data.classes=folders: {packed.name} has neither class folders nor labels")
    return packed


def matched(packed: Packed, classes: tuple[str, ...]) -> Matched:
    """Relabel a set by the classes of another set, matched by name; images of other classes are left out."""
    if packed.labels is None:
        return Matched(None, f"{packed.name} has no classes")
    numbers = np.array([*(classes.index(name) if name in classes else UNKNOWN for name in packed.classes), UNKNOWN])
    labels = numbers[packed.labels].astype(np.int64)
    kept = np.flatnonzero(labels != UNKNOWN)
    message = _unmatched(packed, classes)
    if not kept.size:
        return Matched(None, message or f"no image of {packed.name} has a known class")
    if len(kept) == len(packed):
        return Matched(replace(packed, labels=labels, classes=classes), message)
    names = None if packed.names is None else tuple(packed.names[index] for index in kept)
    part = replace(packed, images=packed.images[kept], labels=labels[kept], classes=classes, names=names, path=None)
    return Matched(part, message)


def _unmatched(packed: Packed, classes: tuple[str, ...]) -> str:
    """A message about classes that only one of the two sets has."""
    assert packed.labels is not None
    counts = np.bincount(packed.labels[packed.labels != UNKNOWN], minlength=len(packed.classes))
    foreign = [f"{name} ({count:,})" for name, count in zip(packed.classes, counts, strict=True) if name not in classes]
    present = {name for name, count in zip(packed.classes, counts, strict=True) if count}
    missing = [name for name in classes if name not in present]
    parts = [f"left out {few(foreign, 5)}, which are not classes of the data"] if foreign else []
    return "; ".join([*parts, *([f"there are no images of {few(missing, 5)}"] if missing else [])])


def draw_labelled(data: Packed, count: int | None, randomness: Randomness) -> Tensor:
    """Draw labelled images, the same number of each class, as indices [*models, count]; a count of None takes all.

    Each model shuffles the set by its own seed and takes the first images of each class. Raises DataError for a set
    without labels, UsageError if the count is not a multiple of the number of classes or a class has too few images.
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
            f"labelled.count={count}: expected a multiple of {len(data.classes)}, since each of the "
            f"{len(data.classes)} classes gets the same number of labels"
        )
    assert data.labels is not None
    for label, name in enumerate(data.classes):
        if (found := int((data.labels == label).sum())) < each:
            raise UsageError(
                f"labelled.count={count}: this needs {each} images of each class, and {name} has {found}: choose fewer"
            )
    return each


def _in_test_folder(name: str) -> bool:
    """Whether the first folder in a path that is named after a split is one for testing or validation."""
    folders = name.replace("\\", "/").split("/")[:-1]
    return next((kind for folder in folders if (kind := role(folder))), "train") != "train"


def _rows(path: Path) -> list[TableRow]:
    """The rows of a CSV file that have a label. Raises DataError for a file that cannot be read as expected."""
    try:
        rows = split_cells(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: could not be read as CSV ({error})") from error
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    files, labels = _column(header, _FILES), _column(header, _LABELS)
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


def _column(header: list[str], known: tuple[str, ...]) -> int | None:
    """The index of the column with the first of these names that exists."""
    return next((header.index(name) for name in known if name in header), None)
