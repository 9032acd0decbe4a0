"""Decide whether folders name classes, and say why if they do not.

Albums look like classes, so for them the user gives `by="none"`. Shards of a large set are recognised: their names are
numbers in equal steps (00000, 01000, 02000), all hold about the same number of pictures, and either the step is a power
of ten of at least 100, or it is about the number of pictures in each folder, or the pictures' numbers continue from one
folder to the next. Folders 0 to 9 whose pictures are numbered from the start in each are classes.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from ebgan.data.kinds import few
from ebgan.data.layout import SHOWN, first_folder
from ebgan.errors import DataError, UsageError

By = Literal["auto", "folders", "none"]
_SHARD = re.compile(r"(shard|part|chunk|batch|bucket|subset|block)[ _-]?([0-9]+)", re.IGNORECASE)
_NEAR = 0.95  # a shard, except the last, holds at least this share of the largest folder's pictures
_TAKE = "--data.classes folders makes them classes"


class Classes(NamedTuple):
    """The classes of some pictures."""

    labels: NDArray[np.int64] | None  # [N], None if there are no classes
    names: tuple[str, ...]
    how: str  # a sentence: how they were found, or why there are none


def check_by(by: str) -> None:
    """Raise UsageError for a value other than auto, folders or none."""
    if by not in get_args(By):
        raise UsageError(f"data.classes={by!r}: expected auto, folders or none")


def by_folder(
    names: Iterable[str], by: By = "auto", known: frozenset[str] = frozenset(), outer: str = "", shards: str = ""
) -> Classes:
    """Classes by the first folder of each name, if there are two or more and no picture lies outside them.

    A single folder counts if it is one of the `known` classes. `outer` names the folders above all pictures, for
    messages; `shards` says why the folders are shards, "" if they are not (see `why_shards`). Raises DataError if `by`
    is "folders" and there are no such classes.
    """
    names = list(names)
    if by == "none":
        return Classes(None, (), "no classes, as requested")
    firsts = [unicodedata.normalize("NFC", first_folder(name)) for name in names]
    why = _why_none(names, known, outer) or (by == "auto" and shards)
    if why and by == "folders":
        raise DataError(f"data.classes=folders: {why}")
    if why:
        return Classes(None, (), why)
    labels, classes = numbered(firsts)
    mend = "" if by == "folders" else "; --data.classes none if these are not classes"
    return Classes(labels, classes, f"classes by their folders ({few(classes, SHOWN)}){mend}")


def numbered(words: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The label of each word, and the sorted distinct words: word = classes[label]."""
    classes = sorted(set(words))
    numbers = {word: number for number, word in enumerate(classes)}
    return np.array([numbers[word] for word in words], np.int64), tuple(classes)


def without_class(names: Iterable[str]) -> str:
    """A message if there are class folders, but also pictures beside them; else ""."""
    names = list(names)
    folders, outside = sorted({*map(first_folder, names)} - {""}), [name for name in names if not first_folder(name)]
    if len(folders) < 2 or not outside:
        return ""
    one = len(outside) == 1
    lie = f"{outside[0]} lies" if one else f"{outside[0]} and {len(outside) - 1:,} more lie"
    mend = "it into one of them" if one else "them into these"
    return f"no picture has a class: {lie} beside the folders {few(folders, SHOWN)}: move {mend}, or away"


def _why_none(names: list[str], known: frozenset[str], outer: str) -> str:
    """A message why the folders are not classes; "" if they are."""
    folders = {first_folder(name) for name in names}
    if lost := without_class(names):
        return lost
    if folders <= {""}:
        return f"no classes: all pictures lie in {outer or 'one folder'}"
    if len(folders) < 2 and not folders & known:
        return f"no classes: all pictures lie below {outer}{max(folders)}/"
    if "" in folders:
        return f"no classes: pictures lie beside the folder {max(folders)}"
    return ""


def why_shards(names: Iterable[str]) -> str:
    """A message why the folders are shards and not classes; "" if they are not shards."""
    names = list(names)
    why = _why_shards(names)
    folders = few(sorted({first_folder(name) for name in names}), 3)
    return f"no classes: the folders {folders} are shards, {why}; {_TAKE}" if why else ""


def _why_shards(names: list[str]) -> str:
    counts = Counter(map(first_folder, names))
    if counts and all(_SHARD.fullmatch(folder) for folder in counts):
        return "by their names"
    if not all(folder.isdecimal() and folder.isascii() for folder in counts) or len(counts) < 2:
        return ""
    order = sorted(counts, key=int)
    numbers = [int(folder) for folder in order]
    step = numbers[1] - numbers[0]
    regular = step > 0 and all(b - a == step for a, b in pairwise(numbers))
    most = max(counts.values())
    even = all(counts[folder] >= _NEAR * most for folder in order[:-1])
    if not (regular and even):
        return ""
    round_step = step >= 100 and 10 ** round(math.log10(step)) == step
    if round_step or (step > 1 and _NEAR * step <= most <= step):
        return f"numbered in steps of {step:,} with as many pictures each"
    return "numbered, with pictures whose numbers continue from one to the next" if _run_on(names, order) else ""


def _run_on(names: list[str], order: list[str]) -> bool:
    """Whether the numbers of the pictures in each folder all lie above those in the folder before."""
    numbers: dict[str, list[int]] = {folder: [] for folder in order}
    for name in names:
        stem = PurePosixPath(name).stem
        if not (stem.isdecimal() and stem.isascii()):
            return False
        numbers[first_folder(name)].append(int(stem))
    return all(max(numbers[a]) < min(numbers[b]) for a, b in pairwise(order))
