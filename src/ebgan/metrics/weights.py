"""Store the weights of classifiers as safetensors with a checksum, which detects damage."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from ebgan.errors import CheckpointError
from ebgan.sealed import decode, encode
from ebgan.storage.files import write_atomically


def save_weights(path: Path, weights: dict[str, Tensor]) -> None:
    """Write weights atomically. Raises StorageError if the file cannot be written."""
    write_atomically(path, *encode({}, weights))


def load_weights(path: Path) -> dict[str, Tensor] | None:
    """Read weights; None if the file cannot be read or is damaged."""
    try:
        return decode(path.read_bytes(), path)[1]
    except (OSError, CheckpointError):
        return None
