"""Weights on disk: the SHA-256 of a safetensors body, then the body, so that damage is noticed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from safetensors.torch import load, save
from torch import Tensor

from ebgan.runfolder import write_atomically

_DIGEST = 32  # bytes of a SHA-256


def save_weights(path: Path, weights: dict[str, Tensor]) -> None:
    """Write weights so that the file is whole at any moment. Raises StorageError where the disk refuses."""
    body = save({name: weight.cpu().contiguous() for name, weight in weights.items()})
    write_atomically(path, hashlib.sha256(body).digest() + body)


def load_weights(path: Path) -> dict[str, Tensor] | None:
    """The weights of a file; None if it cannot be read or its sum does not fit."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, body = content[:_DIGEST], content[_DIGEST:]
    return load(body) if hashlib.sha256(body).digest() == digest else None
