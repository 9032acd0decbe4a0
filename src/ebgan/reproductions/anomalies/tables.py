"""Tables with anomalies: ADBench's (Han et al., 2022), or two that come with scikit-learn, for a trial.

A table is split by ADBench's semi-supervised protocol: half of the normal rows for training, the other half and all
anomalies for testing.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebgan.errors import DataError

Floats = NDArray[np.float64]
SHIPPED = ("breast_cancer", "wine")  # in scikit-learn


@dataclass(frozen=True, eq=False)
class Table:
    """A table of rows, with a mask of the anomalies."""

    name: str
    rows: Floats  # [n, features]
    anomalous: NDArray[np.bool_]  # [n]

    @property
    def features(self) -> int:
        """The number of features."""
        return int(self.rows.shape[1])

    def split(self, seed: int, most: int) -> TrainTestSplit:
        """A random split: at most `most` training rows, and at most `most` test rows of each kind."""
        draw = np.random.default_rng(seed)
        normal = draw.permutation(np.flatnonzero(~self.anomalous))
        odd = draw.permutation(np.flatnonzero(self.anomalous))[:most]
        half = len(normal) // 2
        trained, tested = normal[:half][:most], normal[half:][:most]
        indices = np.concatenate((tested, odd))
        return TrainTestSplit(self.rows[trained], self.rows[indices], np.arange(len(indices)) >= len(tested))


@dataclass(frozen=True, eq=False)
class TrainTestSplit:
    """Training and test rows."""

    train: Floats  # [m, features], normal rows
    test: Floats  # [n, features]
    anomalous: NDArray[np.bool_]  # [n]


def shipped() -> list[Table]:
    """The tables in scikit-learn, with the rarest class as anomalies."""
    from sklearn import datasets

    found = []
    for name in SHIPPED:
        rows, labels = getattr(datasets, f"load_{name}")(return_X_y=True)
        found.append(Table(name, np.asarray(rows, np.float64), labels == np.argmin(np.bincount(labels))))
    return found


def in_folder(folder: Path) -> list[Path]:
    """The npz files of a folder, the smallest first. Raises DataError if there are none."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder of tables: {WHERE}")
    found = sorted(folder.glob("*.npz"), key=lambda path: (path.stat().st_size, path.name))
    if not found:
        raise DataError(f"{folder}: has no .npz files: {WHERE}")
    return found


def read(path: Path) -> Table:
    """A table of ADBench: arrays `X` [n, features] and `y` [n], 1 for an anomaly. Raises DataError for other files."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            rows, labels = np.asarray(arrays["X"], np.float64), np.asarray(arrays["y"])
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not a table with arrays X and y of numbers ({error})") from error
    if rows.ndim != 2 or labels.shape != (len(rows),) or set(np.unique(labels)) != {0, 1}:
        raise DataError(
            f"{path}: X is {list(rows.shape)} and y {list(labels.shape)}; expected X [n, features] and y [n] with both "
            "0 (normal) and 1 (anomaly)"
        )
    if (labels == 0).sum() < 4:
        raise DataError(f"{path}: {(labels == 0).sum()} normal rows cannot be split: expected 4 or more")
    return Table(path.stem, rows, labels == 1)


WHERE = "give the folder of ADBench's tables, from github.com/Minqi824/ADBench (adbench/datasets/Classical), by --data"
