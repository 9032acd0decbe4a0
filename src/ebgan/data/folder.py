"""A folder of picture files, flat or with a folder for each class."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebgan.data.packed import Packed
from ebgan.data.picture import decode_picture
from ebgan.errors import DataError

_log = logging.getLogger(__name__)
_LISTED = 50  # refused files that are named in the warning; the rest are counted


def read_folder(folder: Path, size: int, channels: int | None = None) -> Packed:
    """All pictures in a folder and the folders within as [N, channels, size, size]; see `decode_picture` for how.

    Without `channels` the set is grey if every file is. The first level of folders names the classes, if there are
    two or more and no picture lies outside them. Hidden files, `__MACOSX`, what is no regular file and linked folders
    that lead back are left out. A file that cannot be decoded is left out and named, with the reason, in a warning.
    Raises DataError if none is left.
    """
    paths = sorted(_files(folder))
    pixels = np.empty((len(paths), size, size, 3), np.uint8)
    kept: list[str] = []
    refused: list[str] = []
    grey = True
    with ThreadPoolExecutor() as threads:
        for path, (picture, reason) in zip(paths, threads.map(_attempt, paths, [size] * len(paths)), strict=True):
            if picture is None:
                refused.append(f"{_name(path, folder)}: {reason}")
                continue
            pixels[len(kept)], is_grey = picture
            grey = grey and is_grey
            kept.append(_name(path, folder))
    _report(folder, refused, kept)
    labels, classes = _classes(kept)
    depth = channels or (1 if grey else 3)
    return Packed(_channels(pixels[: len(kept)], depth), labels, classes, folder.name, tuple(kept))


def read_picture(path: Path, size: int | None = None, channels: int | None = None) -> Packed:
    """A set of one picture file, in its own size unless one is given."""
    picture, reason = _attempt(path, size)
    if picture is None:
        raise DataError(f"{path}: could not be decoded: {reason}")
    pixels, grey = picture
    return Packed(_channels(pixels[None], channels or (1 if grey else 3)), name=path.stem, names=(path.name,))


def _attempt(path: Path, size: int | None) -> tuple[tuple[NDArray[np.uint8], bool] | None, str]:
    """The pixels, or none and the reason."""
    try:
        return decode_picture(path, size), ""
    except Exception as error:  # Pillow's decoders raise errors of every kind on damaged files
        said = str(error).replace(repr(str(path)), "it").replace(str(path), "it")
        return None, " ".join(said.split()) or type(error).__name__


def _files(folder: Path) -> Iterator[Path]:
    root = folder.resolve()
    seen = {root}
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if _visible(name) and _enters(Path(parent, name), root, seen)]
        yield from (path for name in files if _visible(name) and (path := Path(parent, name)).is_file())


def _enters(folder: Path, root: Path, seen: set[Path]) -> bool:
    """Whether a folder is to be read: once, and not through a link that stays within the root or leads above it."""
    real = folder.resolve()
    if real in seen or (folder.is_symlink() and (real.is_relative_to(root) or root.is_relative_to(real))):
        return False
    seen.add(real)
    return True


def _visible(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def _name(path: Path, folder: Path) -> str:
    """The path within the folder, with bytes that are no text escaped so that it can be printed."""
    return path.relative_to(folder).as_posix().encode("utf-8", "backslashreplace").decode()


def _report(folder: Path, refused: list[str], kept: list[str]) -> None:
    listed = "\n".join(f"  {line}" for line in refused[:_LISTED])
    more = f"\n  and {len(refused) - _LISTED:,} more" if len(refused) > _LISTED else ""
    if not kept:
        found = f"could be decoded:\n{listed}{more}" if refused else "was found"
        raise DataError(f"{folder}: no picture {found}")
    if refused:
        _log.warning("%s: %s pictures read, %s files refused:\n%s%s", folder, len(kept), len(refused), listed, more)


def _classes(names: list[str]) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    firsts = [name.partition("/")[0] for name in names if "/" in name]
    classes = sorted(set(firsts))
    if len(firsts) < len(names) or len(classes) < 2:
        return None, ()
    return np.array([classes.index(first) for first in firsts], np.int64), tuple(classes)


def _channels(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """[N, H, W, 3] as [N, channels, H, W]; grey is luma by ITU-R 601, as Pillow's conversion."""
    if channels == 3:
        return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
    grey = np.empty((len(pixels), 1, *pixels.shape[1:3]), np.uint8)
    for image, out in zip(pixels, grey, strict=True):
        out[0] = np.rint(image @ np.array([0.299, 0.587, 0.114], np.float32))
    return grey
