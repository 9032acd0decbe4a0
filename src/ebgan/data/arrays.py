"""Images from arrays: numpy arrays, .npy and .npz files, and the handwritten digits that come with scikit-learn."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebgan.data.packed import UNKNOWN, Packed
from ebgan.errors import DataError, NoSplitError

DIGITS = tuple("0123456789")
_NPY = b"\x93NUMPY"  # first bytes of a file written by numpy.save


def from_array(
    images: NDArray[Any], labels: NDArray[Any] | None = None, classes: Sequence[str] = (), name: str = "images"
) -> Packed:
    """A set from uint8 images [N, H, W], [N, H, W, C] or [N, C, H, W] with C 1 or 3, and integer labels [N] or [N, 1].

    If both the second and the last axis could be channels, the last one is taken. A label is an index into `classes`;
    without `classes`, each number that occurs is a class, named by the number. -1 means that the class is unknown.
    Raises DataError for other shapes, types and labels.
    """
    if labels is None:
        return Packed(_channels_first(images, name), name=name)
    if labels.size == 0 or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"{name}: labels are {labels.dtype} {list(labels.shape)}; expected integers [{len(images)}]")
    whole = labels.reshape(-1).astype(np.int64)
    if whole.min() < UNKNOWN:
        raise DataError(f"{name}: labels from {whole.min()} to {whole.max()}; expected 0 or more, or -1 for unknown")
    if not classes:
        whole, classes = by_number(whole)
    if not classes:
        return Packed(_channels_first(images, name), name=name)
    return Packed(_channels_first(images, name), whole, tuple(classes), name)


def by_number(labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Integer labels [N] as indices into the sorted distinct ones (UNKNOWN stays), and the names of these."""
    numbers = np.unique(labels[labels != UNKNOWN])
    indices = np.searchsorted(numbers, labels)
    return np.where(labels == UNKNOWN, UNKNOWN, indices).astype(np.int64), tuple(map(str, numbers))


def is_npy(start: bytes) -> bool:
    """Whether these are the first bytes of a file written by numpy.save."""
    return start.startswith(_NPY)


def read_npy(path: Path) -> Packed:
    """The images in an .npy file (see `from_array` for shapes). Raises DataError for a damaged or pickled one."""
    try:
        images = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: not an .npy file of a plain array, or a damaged one ({error})") from error
    return replace(from_array(images, name=str(path)), name=path.stem)


def is_npz(path: Path) -> bool:
    """Whether a file is an npz file, possibly a damaged one, rather than an archive of pictures."""
    try:
        with path.open("rb") as file:
            if file.read(2) != b"PK":
                return False
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile):
        return path.suffix == ".npz"
    return all(name.endswith(".npy") for name in names)


def read_npz(path: Path, split: str) -> Packed:
    """The set in an npz file with the array `images` or `x`, and optionally `labels` or `y`, and `classes` (names).

    In files with several splits the arrays are called `train_images`, `x_train`, `test_labels`, `y_test` and so on.
    Raises DataError for a damaged file, NoSplitError if the split is missing.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images = _first(arrays, "images", "x", split)
            labels = _first(arrays, "labels", "y", split)
            classes = [str(name) for name in np.atleast_1d(arrays["classes"])] if "classes" in arrays else []
            found = ", ".join(arrays) or "none"
    except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not an npz file of plain arrays, or a damaged one ({error})") from error
    if images is None:
        expected = f"expected images, x, {split}_images or x_{split}"
        raise NoSplitError(f"{path}: no array of {split} images: {expected}; found {found}")
    return replace(from_array(images, labels, classes, str(path)), name=path.stem)


def read_digits() -> Packed:
    """The 1,797 handwritten digits 8x8 of scikit-learn, their 17 grey levels scaled to 0 to 255.

    The file of `sklearn.datasets.load_digits` is read directly, because importing that module takes a second. Raises
    DataError if scikit-learn is not installed or the file cannot be read.
    """
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise DataError("digits: they come with scikit-learn, which is not installed: pip install scikit-learn")
    path = Path(found.origin).with_name("datasets") / "data" / "digits.csv.gz"
    try:
        rows = np.loadtxt(path, np.uint8, delimiter=",").reshape(-1, 65)  # 64 pixels and the class
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: the digits cannot be read ({error}): reinstall scikit-learn") from error
    grey = np.rint(rows[:, :-1] * (255 / 16)).astype(np.uint8)
    return Packed(grey.reshape(-1, 1, 8, 8), rows[:, -1].astype(np.int64), DIGITS, "digits")


def _channels_first(images: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if images.dtype != np.uint8:
        raise DataError(f"{name}: images are {images.dtype}; expected uint8 from 0 (black) to 255{_mend(images)}")
    if images.ndim == 3 and images.shape[-1] in (1, 3, 4) and images.shape[1] > images.shape[-1]:
        raise DataError(
            f"{name}: images have the shape {list(images.shape)}, either one picture or {len(images):,} pictures of "
            f"width {images.shape[-1]}: give a single picture as [1, H, W, C]"
        )
    if images.ndim == 3:
        return images[:, None]
    if images.ndim == 4 and images.shape[-1] in (1, 3):
        return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    if images.ndim == 4 and images.shape[1] in (1, 3):
        return images
    shapes = "[N, H, W], [N, H, W, C] or [N, C, H, W] with C 1 or 3"
    raise DataError(f"{name}: images have the shape {list(images.shape)}; expected {shapes}")


def _mend(images: NDArray[Any]) -> str:
    """Advice for a message: how to convert images of another type to uint8, guessed from their range."""
    if images.dtype == bool:
        return ": convert them by (255 * images).astype(numpy.uint8)"
    if images.size == 0 or images.dtype.kind not in "iuf":
        return ""
    low, high = float(images.min()), float(images.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        return "; some of the numbers are NaN or infinite"
    advice = f"; these are from {low:g} to {high:g}: convert them by "
    if low >= 0 and 1 < high <= 255:
        return f"{advice}images.round().astype(numpy.uint8)"
    if low >= -1 and high <= 1:
        scale = "255 * images" if low >= 0 else "127.5 * (images + 1)"
        return f"{advice}({scale}).round().astype(numpy.uint8)"
    return f"{advice}scaling that range to 0 to 255, then .round().astype(numpy.uint8)"


def _first(arrays: Any, word: str, letter: str, split: str) -> NDArray[Any] | None:
    names = [f"{split}_{word}", f"{letter}_{split}"] + ([word, letter] if split == "train" else [])
    return next((arrays[name] for name in names if name in arrays), None)
