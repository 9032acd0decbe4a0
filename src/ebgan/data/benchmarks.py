"""Readers of MNIST, Fashion-MNIST, CIFAR-10 and SVHN in their authors' file formats.

Each reader takes a folder and a split ("train" or "test"), and returns None if the folder holds none of its files.
All raise DataError for missing or damaged files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebgan.data.arrays import DIGITS
from ebgan.data.idx import find_idx, read_idx
from ebgan.data.packed import Packed
from ebgan.errors import DataError

CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_FILES = {"train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)), "test": ("test_batch.bin",)}
_RECORD = 1 + 3 * 32 * 32  # a label, then the red, green and blue planes


def read_mnist(folder: Path, split: str) -> Packed | None:
    """MNIST's handwritten digits 1x28x28."""
    path = find_idx(folder, split)
    return None if path is None else read_idx(path, DIGITS, "mnist")


def read_fashion_mnist(folder: Path, split: str) -> Packed | None:
    """Fashion-MNIST's clothes 1x28x28."""
    path = find_idx(folder, split)
    return None if path is None else read_idx(path, CLOTHES, "fashion_mnist")


def read_cifar10(folder: Path, split: str) -> Packed | None:
    """CIFAR-10's images 3x32x32, from its binary version.

    The Python version is not read: its files are pickles, which can run any code.
    """
    paths = find_cifar10(folder, split)
    if paths is None:
        return None
    records = np.concatenate([_records(path) for path in paths])
    return Packed(records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64), CIFAR10_CLASSES, "cifar10")


def find_cifar10(folder: Path, split: str) -> tuple[Path, ...] | None:
    """The files of a split, or None if the folder holds none. Raises DataError if only some are there."""
    for parent in (folder, folder / "cifar-10-batches-bin"):
        paths = {name: tuple(parent / file for file in files) for name, files in CIFAR10_FILES.items()}
        if any(path.is_file() for files in paths.values() for path in files):
            missing = [path.name for path in paths[split] if not path.is_file()]
            if missing:
                raise DataError(f"{parent}: the files {', '.join(missing)} of CIFAR-10's binary version are missing")
            return paths[split]
    return None


def _records(path: Path) -> NDArray[np.uint8]:
    content = np.fromfile(path, np.uint8)
    if content.size == 0 or content.size % _RECORD:
        raise DataError(f"{path}: {content.size:,} bytes are not a whole number of records of {_RECORD:,} bytes")
    return content.reshape(-1, _RECORD)


def read_svhn(folder: Path, split: str) -> Packed | None:
    """SVHN's cropped digits 3x32x32; the label 10 of its files is the digit 0."""
    path = find_svhn(folder, split)
    if path is None:
        return None
    from scipy.io import loadmat

    try:
        content = loadmat(path, variable_names=("X", "y"))
        images, labels = content["X"].transpose(3, 2, 0, 1), content["y"].reshape(-1)
    except Exception as error:  # SciPy raises errors of every kind on damaged files
        raise DataError(f"{path}: not a file of SVHN's cropped digits, or a damaged one ({error})") from error
    if not np.isin(labels, np.arange(11)).all():
        raise DataError(
            f"{path}: labels from {labels.min()} to {labels.max()}; expected whole numbers from 1 to 10 (10 is "
            "the digit 0) or from 0 to 9: get the file again"
        )
    return Packed(np.ascontiguousarray(images), labels.astype(np.int64) % 10, DIGITS, "svhn")


def read_own(folder: Path, split: str) -> Packed | None:
    """Images in idx files named like MNIST's: MNIST or Fashion-MNIST if the folder's name says so, else any set."""
    names = [part.lower() for part in folder.resolve().parts[-2:]]
    if any("fashion" in name for name in names):
        return read_fashion_mnist(folder, split)
    if "mnist" in names:
        return read_mnist(folder, split)
    path = find_idx(folder, split)
    return None if path is None else read_idx(path, (), folder.resolve().name)


def find_svhn(folder: Path, split: str) -> Path | None:
    """The file of a split, or None if the folder holds neither. Raises DataError if only the other split is there."""
    paths = {name: folder / f"{name}_32x32.mat" for name in ("train", "test")}
    if not any(path.is_file() for path in paths.values()):
        return None
    if not paths[split].is_file():
        raise DataError(f"{folder}: the file {paths[split].name} of SVHN is missing")
    return paths[split]
