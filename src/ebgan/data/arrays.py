"""Images that are arrays already: numpy arrays, npz files and the handwritten digits inside scikit-learn."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebgan.data.packed import Packed
from ebgan.errors import DataError, NoSplitError

DIGITS = tuple("0123456789")
MOST = 1 << 20  # classes that are named by their numbers


def from_array(
    images: NDArray[Any], labels: NDArray[Any] | None = None, classes: Sequence[str] = (), name: str = "images"
) -> Packed:
    """A set from uint8 images [N, H, W], [N, H, W, C] or [N, C, H, W] with C 1 or 3, and integer labels [N] or [N, 1].

    Where both ends could be channels the last is taken. Labels without names of classes are named by their numbers.
    """
    if labels is None:
        return Packed(_channels_first(images, name), name=name)
    if labels.size == 0 or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"{name}: labels are {labels.dtype} {list(labels.shape)}; expected integers [{len(images)}]")
    whole = labels.reshape(-1).astype(np.int64)
    if not classes and whole.max() >= MOST:
        raise DataError(
            f"{name}: labels go up to {whole.max():,}: number the classes from 0, or name them in `classes`"
        )
    named = tuple(classes) or tuple(str(label) for label in range(int(whole.max()) + 1))
    return Packed(_channels_first(images, name), whole, named, name)


def is_npz(path: Path) -> bool:
    """Whether a file is an npz file, or what is left of one, rather than an archive of pictures."""
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
    """The set in an npz file: arrays `images` or `x`, and `labels` or `y` and names of `classes` if there are any.

    Files with several splits name them before or after: `train_images`, `x_train`, `test_labels`, `y_test`.
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
        raise NoSplitError(f"{path}: no array of {split} images: {expected}; {found}")
    return from_array(images, labels, classes, path.stem)


def read_digits() -> Packed:
    """The 1,797 handwritten digits 8x8 inside scikit-learn, their 17 grey levels spread over 0 to 255.

    They are read from the file that `sklearn.datasets.load_digits` reads, whose import takes a second. Raises DataError
    where the file is not there.
    """
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise DataError("digits: scikit-learn, which has them, is not installed: pip install scikit-learn")
    path = Path(found.origin).with_name("datasets") / "data" / "digits.csv.gz"
    try:
        rows = np.loadtxt(path, np.uint8, delimiter=",").reshape(-1, 65)  # 64 pixels and the class
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: the digits of scikit-learn cannot be read ({error}): install it anew") from error
    grey = np.rint(rows[:, :-1] * (255 / 16)).astype(np.uint8)
    return Packed(grey.reshape(-1, 1, 8, 8), rows[:, -1].astype(np.int64), DIGITS, "digits")


def _channels_first(images: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if images.dtype != np.uint8:
        raise DataError(f"{name}: images are {images.dtype}; expected uint8 from 0 (black) to 255")
    if images.ndim == 3:
        return images[:, None]
    if images.ndim == 4 and images.shape[-1] in (1, 3):
        return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    if images.ndim == 4 and images.shape[1] in (1, 3):
        return images
    shapes = "[N, H, W], [N, H, W, C] or [N, C, H, W] with C 1 or 3"
    raise DataError(f"{name}: images have the shape {list(images.shape)}; expected {shapes}")


def _first(arrays: Any, word: str, letter: str, split: str) -> NDArray[Any] | None:
    names = [f"{split}_{word}", f"{letter}_{split}"] + ([word, letter] if split == "train" else [])
    return next((arrays[name] for name in names if name in arrays), None)
