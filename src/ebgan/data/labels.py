"""The classes of a few images: a CSV file that names them, and balanced draws of few from many.

    image,label
    cat/0001.png,cat
    0002.png,dog

Images are named as they lie in the folder or archive, with `train/` or the archive's own folder in front or without. A
line without a label says nothing, as does no line at all.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ebgan.data.packed import UNKNOWN, Packed
from ebgan.errors import DataError, UsageError
from ebgan.randomness import Randomness

SHOWN = 3  # names of images in a message
_HEADER = ["image", "label"]


def with_labels(packed: Packed, path: Path) -> Packed:
    """A set with the labels of a CSV file in place of its own, UNKNOWN where it names none.

    Raises DataError, which names file and line, for an image that is not in the set or has two labels, and for fewer
    than two classes.
    """
    if packed.names is None:
        raise DataError(f"{path}: names images by their files, and {packed.name} is not of files: give a folder")
    places = {name: place for place, name in enumerate(packed.names)}
    named: dict[int, str] = {}
    for line, given, label in _lines(path):
        front, _, inner = given.partition("/")
        image = inner if given not in places and front in ("train", packed.name) else given
        if image not in places:
            known = ", ".join(packed.names[:SHOWN])
            raise DataError(
                f"{path}, line {line}: {given}: no such image in {packed.name}, or one that could not be decoded. "
                f"Names are as in the folder: {known}, ..."
            )
        if named.setdefault(places[image], label) != label:
            raise DataError(
                f"{path}, line {line}: {image}: {label}, but {named[places[image]]} before: keep one of them"
            )
    classes = sorted(set(named.values()))
    if len(classes) < 2:
        raise DataError(f"{path}: names {len(classes)} classes ({', '.join(classes)}); expected two or more")
    labels = np.full(len(packed), UNKNOWN, np.int64)
    for place, label in named.items():
        labels[place] = classes.index(label)
    return replace(packed, labels=labels, classes=tuple(classes))


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
    """How many of each class make up a count."""
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


def _lines(path: Path) -> list[tuple[int, str, str]]:
    """Line number, image and label of each line that has a label."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: could not be read as CSV ({error})") from error
    if not rows or [cell.strip().lower() for cell in rows[0]] != _HEADER:
        raise DataError(f"{path}: expected the first line `image,label`")
    lines = []
    for line, row in enumerate(rows[1:], start=2):
        if row and len(row) != 2:
            raise DataError(f"{path}, line {line}: {len(row)} columns; expected image and label")
        if row and row[1].strip():
            lines.append((line, row[0].strip(), row[1].strip()))
    return lines
