"""Weights of classifiers on disk, as sealed safetensors: damage is noticed."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from ebgan.errors import CheckpointError
from ebgan.sealed import decode, encode
from ebgan.storage.files import write_atomically


def save_weights(path: Path, weights: dict[str, Tensor]) -> None:
    """Write weights so that the file is whole at any moment. Raises StorageError where the disk refuses."""
    write_atomically(path, *encode({}, weights))


def load_weights(path: Path) -> dict[str, Tensor] | None:
    """The weights of a file; None if it cannot be read or is not whole."""
    try:
        return decode(path.read_bytes(), path)[1]
    except (OSError, CheckpointError):
        return None
