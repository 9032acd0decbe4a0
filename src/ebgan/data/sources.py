"""Open a data set by name or path; all formats become one type, `Packed`."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import platformdirs

from ebgan.data.archive import is_archive
from ebgan.data.arrays import is_npy, is_npz, read_digits, read_npy, read_npz
from ebgan.data.benchmarks import (
    find_cifar10,
    find_svhn,
    read_cifar10,
    read_fashion_mnist,
    read_mnist,
    read_own,
    read_svhn,
)
from ebgan.data.collections import COLLECTIONS, find_collection
from ebgan.data.folder import read_picture, read_pictures
from ebgan.data.idx import find_idx, read_idx
from ebgan.data.journal import is_pack, open_pack
from ebgan.data.kinds import kind_of, start_of
from ebgan.data.labels import by_asked
from ebgan.data.listing import Choice
from ebgan.data.naming import By
from ebgan.data.packed import MAGIC, Packed, open_packed
from ebgan.data.picture import check_white, said_of_depth
from ebgan.errors import DataError, NoSplitError

SPLITS = ("train", "test")
_ZIP = b"PK\x03\x04"  # first bytes of a zip
_READERS: dict[str, Callable[[Path, str], Packed | None]] = {
    "mnist": read_mnist,
    "fashion_mnist": read_fashion_mnist,
    "cifar10": read_cifar10,
    "svhn": read_svhn,
}
_FINDERS: dict[str, Callable[[Path, str], object]] = {
    "mnist": find_idx,
    "fashion_mnist": find_idx,
    "cifar10": find_cifar10,
    "svhn": find_svhn,
}
SOURCES = ("digits", *_READERS)  # the sets that have a name


def open_data(
    source: str | Path,
    *,
    split: str = "train",
    size: int | None = None,
    channels: int | None = None,
    classes: By = "auto",
    white: int | None = None,
) -> Packed:
    """Open a data set.

    `source` is the name of a set (see `SOURCES` and `COLLECTIONS`) or a path: an output folder of `ebgan pack`; a
    packed, idx, npz or npy file; a folder with the files of MNIST, CIFAR-10 or SVHN; a picture; or a folder or archive
    of pictures (see `layout` for its splits). Data without splits is all `train`. Pictures are read with `size` and
    `channels`; a set whose images already have a shape must match them. `classes` says whether folders name classes
    (see `naming`); "none" drops the classes of any set. `white` is the level of 16-bit pictures that becomes white.
    Raises DataError, which says what to do, and NoSplitError if the set lacks the split.
    """
    check_white(white)
    packed = open_arrays(source, split)
    if packed is not None:
        packed = by_asked(packed, classes)
        packed = replace(packed, notes=(*packed.notes, *said_of_depth(0, white)))
    elif (path := existing(source)).is_dir() or is_archive(path):
        packed = _read_pictures(path, size, channels, Choice(split, by=classes), white)
    else:
        _only_train(path, split)
        packed = by_asked(read_picture(path, size, channels, white), classes)
    _check_shape(source, packed, size, channels)
    return packed


def open_arrays(source: str | Path, split: str = "train") -> Packed | None:
    """Open a source whose images already have a shape; None for pictures that must be decoded. Raises DataError."""
    if split not in SPLITS:
        raise DataError(f"split is {split!r}; expected one of {', '.join(SPLITS)}")
    if isinstance(source, str) and source in SOURCES:
        return _open_named(source, split)
    path = existing(source)
    if path.is_dir():
        return _open_folder(path, split)
    if not path.is_file():
        raise DataError(f"{path}: neither a file nor a folder")
    return _open_file(path, split)


def data_folder(name: str) -> Path:
    """The folder for a named set: in $EBGAN_DATA, or in the user's cache folder if that is not set."""
    return _folders(name)[0]


def located_sets() -> dict[str, str]:
    """The named sets on this machine: name -> path, or what is wrong with it. No set is read."""
    found = {"digits": "comes with scikit-learn"}
    for name, find in _FINDERS.items():
        try:
            folder = next((each for each in _folders(name) if find(each, "train") is not None), None)
        except (DataError, OSError) as error:
            found[name] = str(error)
            continue
        if folder:
            found[name] = str(folder)
    for name in COLLECTIONS:
        with suppress(DataError, OSError):
            found[name] = str(find_collection(name, _homes()))
    return found


def _folders(name: str) -> list[Path]:
    """The folders in which a named set is searched.

    Fashion-MNIST is not searched in $EBGAN_DATA itself, because its files have the same names as MNIST's.
    """
    *home, cache = _homes()
    return [*(each / name for each in home), *([] if name == "fashion_mnist" else home), cache / name]


def _homes() -> list[Path]:
    """The folders that hold data: $EBGAN_DATA, if that is set, and the user's cache folder."""
    cache = Path(platformdirs.user_cache_dir("ebgan"))
    named = os.environ.get("EBGAN_DATA")
    return [Path(named).expanduser(), cache] if named else [cache]


def _open_named(name: str, split: str) -> Packed:
    if name == "digits":
        _only_train(name, split)
        return read_digits()
    for folder in _folders(name):
        packed = _READERS[name](folder, split)
        if packed is not None:
            return packed
    looked = ", ".join(map(str, _folders(name)))
    raise DataError(
        f"{name} was not found (looked in {looked}): fetch it with `ebgan data get {name}`, or give --data PATH"
    )


def existing(source: str | Path) -> Path:
    """The path of a source. Raises DataError, with similar names of sets, if it does not exist."""
    if isinstance(source, str) and source in COLLECTIONS:
        return find_collection(source, _homes())
    path = expanded(source)
    if path.exists():
        return path
    near = difflib.get_close_matches(str(source).lower(), (*SOURCES, *COLLECTIONS), cutoff=0.7)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise DataError(f"{source}: no such file or folder, and no set of that name ({', '.join(SOURCES)}).{hint}")


def expanded(source: str | Path) -> Path:
    """A path with `~` replaced by the user's home folder. Raises DataError if there is none."""
    try:
        return Path(source).expanduser()
    except RuntimeError as error:
        raise DataError(f"{source}: no user of that name has a home folder here: write the path in full") from error


def _open_file(path: Path, split: str) -> Packed | None:
    try:
        start = start_of(path)
    except OSError as error:
        raise DataError(f"{path}: could not be read ({error.strerror})") from error
    if is_npz(path):
        return read_npz(path, split)
    if start.startswith(_ZIP) and not is_archive(path):
        raise DataError(f"{path}: a zip that is cut short or damaged: get it again")
    if start.startswith(MAGIC):
        _only_train(path, split)
        return open_packed(path)
    if is_npy(start):
        _only_train(path, split)
        return read_npy(path)
    if kind := kind_of(start, "" if is_archive(path) else path.name):
        raise DataError(f"{path}: {kind}")
    if start.startswith((b"\0\0\x08", b"\x1f\x8b")) and not is_archive(path):
        _only_train(path, split)
        return read_idx(path, (), path.name.partition(".")[0])
    return None


def _open_folder(folder: Path, split: str) -> Packed | None:
    if is_pack(folder):
        _only_train(folder, split)
        return open_pack(folder)
    sets = (read(folder, split) for read in (read_own, read_cifar10, read_svhn))
    return next((packed for packed in sets if packed is not None), None)


def _read_pictures(path: Path, size: int | None, channels: int | None, choice: Choice, white: int | None) -> Packed:
    if size is None:
        raise DataError(
            f"{path}: a folder of pictures needs --data.size, the side in pixels to which each is cropped and resized; "
            "`ebgan pack` decodes them once, into a file"
        )
    return read_pictures(path, size, channels, choice, white)


def _only_train(source: str | Path, split: str) -> None:
    if split != "train":
        raise NoSplitError(f"{source}: has no {split} split: all of it is for training")


def _check_shape(source: str | Path, packed: Packed, size: int | None, channels: int | None) -> None:
    depth, height, width = packed.shape
    if (size or height, size or width, channels or depth) != (height, width, depth):
        expected = f"{channels or depth} x {size or height} x {size or width}"
        own = f"size {height}, channels {depth}" if height == width else f"no size, channels {depth}"
        raise DataError(
            f"{source}: images are {depth} x {height} x {width} (channels, height, width); expected {expected}. Only "
            f"pictures in files are resized: give the set's own shape ({own}), or choose other data"
        )
