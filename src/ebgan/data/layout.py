"""Find the splits of a folder of pictures by the names of its folders.

    D/pics/{Train,Test}/...    an outer folder without meaning, below it the splits
    D/seg_train/seg_train/...  a split, below it an outer folder

Validation pictures are never trained on. They are used for testing if there is no test split, or if only the validation
pictures lie in class folders, as in ImageNet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from ebgan.data.kinds import few
from ebgan.errors import DataError, NoSplitError

SHOWN = 5  # names in a message
_WORDS = {  # words in folder names -> split
    **dict.fromkeys(("train", "training", "trainset", "trainval", "trn"), "train"),
    **dict.fromkeys(("test", "testing", "tests", "testset", "tst"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "valset", "dev", "devel", "development"), "val"),
    **dict.fromkeys(("eval", "evaluation", "holdout", "heldout"), "val"),
}
_PURPOSES = {"train": "training", "val": "validation", "test": "testing"}
_NEUTRAL = {"seg", "set", "sets", "data", "dataset", "image", "images", "img", "imgs", "picture", "pictures"} | {
    *("photo", "photos", "pic", "pics", "split", "folder", "ilsvrc", "coco", "jpg", "jpeg", "png")
}
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


class Split(NamedTuple):
    """The pictures of a split."""

    names: dict[str, str]  # full name of each picture -> its name below the outer folders of the split
    trained: tuple[str, ...]  # the names of the training pictures, whose folders may name classes
    notes: tuple[str, ...]  # how the split was found


def role(folder: str) -> str | None:
    """The split (train, val or test) that a folder is named after, or None; ignores case and neutral words."""
    words = [part.lower() for part in _PARTS.findall(folder)]
    known = {_WORDS[word] for word in words if word in _WORDS}
    others = [word for word in words if word not in _WORDS and word not in _NEUTRAL]
    plain = all(len(word) == 1 or re.fullmatch("(19|20)[0-9]{2}", word) for word in others)
    return known.pop() if len(known) == 1 and plain and folder.isascii() else None


def first_folder(name: str) -> str:
    """The first folder of a path; "" for a file that lies in no folder."""
    return name.partition("/")[0] if "/" in name else ""


def outer_folders(names: Iterable[str], stop: Callable[[str], bool] = lambda _: False) -> str:
    """The folders `a/b/` that all names begin with, up to but not including the first for which `stop` is true."""
    names, found = list(names), ""
    while names:
        firsts = {first_folder(name) for name in names}
        first = firsts.pop()
        if firsts or not first or stop(first):
            break
        found += f"{first}/"
        names = [name.removeprefix(f"{first}/") for name in names]
    return found


def find_split(path: Path, names: list[str], split: str) -> Split:
    """The pictures of a split; if no folder is named after a split, all pictures are for training.

    Raises NoSplitError if there are none for testing, and DataError if the folders can be read in two ways.
    """
    folders = _splits(path, names)
    train = {name: name for name in names} if not folders else _inside(names, folders["train"])
    if folders:
        _refuse_splits_within(path, train.values(), folders["train"])
    train = _below(train, outer_folders(train.values()))
    classes = frozenset(map(first_folder, train.values()))
    tested = {kind: _tested(names, folders[kind], classes) for kind in ("test", "val") if kind in folders}
    classed = [kind for kind, found in tested.items() if classes & set(map(first_folder, found.values())) - {""}]
    chosen = next(iter(classed or tested), None)
    if split == "train":
        return Split(train, tuple(train.values()), _notes(names, folders, chosen))
    if chosen is None:
        lacks = "has no folder test" if folders else "has no test split"
        raise NoSplitError(f"{path}: {lacks}: all of it is for training")
    return Split(tested[chosen], tuple(train.values()), (f"the pictures are those in {folders[chosen]}",))


def _splits(path: Path, names: list[str]) -> dict[str, str]:
    """The folder of each split; {} if no folder is named after one."""
    firsts = sorted({first_folder(name) for name in names} - {""})
    found: dict[str, list[str]] = {}
    for folder in firsts:
        if kind := role(folder):
            found.setdefault(kind, []).append(folder)
    if not found:
        _refuse_splits_within(path, names, "")
        return {}
    for kind, folders in sorted(found.items(), reverse=True):
        if len(folders) > 1:
            raise DataError(
                f"{path}: has several folders for {_PURPOSES[kind]}: {few(folders, SHOWN)}: give one of them, or merge "
                "them"
            )
    others = [folder for folder in firsts if role(folder) is None]
    outside = [name for name in names if not first_folder(name)]
    _refuse_mixture(path, {kind: folders[0] for kind, folders in found.items()}, others + outside)
    return {kind: folders[0] for kind, folders in found.items()}


def _refuse_mixture(path: Path, found: dict[str, str], others: list[str]) -> None:
    """Raise DataError if a folder named after a split may be a class instead."""
    if "train" not in found:
        folder = found.get("test") or found["val"]
        if others:
            raise DataError(
                f"{path}: has a folder {folder}, named like a split, no folder for training, and also "
                f"{few(others, SHOWN)}: rename {folder} if it is a class; if not, put the others into a folder train"
            )
        raise DataError(
            f"{path}: has only pictures for {' and '.join(_PURPOSES[kind] for kind in found)} "
            f"({', '.join(found.values())}), which are not trained on: to train on them, give the folder {folder}"
        )
    if others and len(found) == 1:
        raise DataError(
            f"{path}: has a folder {found['train']}, named like a split, and also {few(others, SHOWN)}: rename "
            f"{found['train']} if it is a class, or move the others away"
        )


def _refuse_splits_within(path: Path, names: Iterable[str], folder: str) -> None:
    """Raise DataError for splits below other folders, which would be taken for classes or mixed."""
    roles: dict[str, dict[str, str]] = {}
    for parent in {name.rpartition("/")[0] for name in names}:
        parts = parent.split("/") if parent else []
        for depth, part in enumerate(parts):
            if kind := role(part):
                roles.setdefault("/".join(parts[:depth]), {})[kind] = part
    for parent, found in sorted(roles.items()):
        if "train" in found and len(found) > 1:
            where = "/".join(part for part in (folder, parent) if part)
            raise DataError(
                f"{path}: folders of splits, {', '.join(sorted(found.values()))}, lie below {where}: give that folder, "
                "or put the splits outermost"
            )


def _inside(names: Iterable[str], folder: str) -> dict[str, str]:
    """The names in a folder -> their names below it."""
    return {name: name.removeprefix(f"{folder}/") for name in names if name.startswith(f"{folder}/")}


def _below(names: dict[str, str], outer: str) -> dict[str, str]:
    return {name: inner.removeprefix(outer) for name, inner in names.items()}


def _tested(names: list[str], folder: str, classes: frozenset[str]) -> dict[str, str]:
    """The pictures of a folder, named below its outer folders; a folder of a training class is kept in the names."""
    found = _inside(names, folder)
    return _below(found, outer_folders(found.values(), classes.__contains__))


def _notes(names: list[str], folders: dict[str, str], chosen: str | None) -> tuple[str, ...]:
    """Sentences that say how the splits were found."""
    if not folders:
        return ()
    tested = [folders[chosen]] if chosen else []
    notes = ["".join([f"trained on {folders['train']}", *(f", tested on {folder}" for folder in tested)])]
    left = sorted({first_folder(name) or name for name in names} - {folders["train"], *tested})
    return (*notes, f"left out: {few(left, SHOWN)}") if left else tuple(notes)
