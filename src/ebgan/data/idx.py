"""Read the idx files of MNIST and Fashion-MNIST, plain or gzipped.

0 0 8 d     four bytes: an array of unsigned bytes in d dimensions
n1 .. nd    the shape, each a big-endian 32-bit integer
bytes       n1 * .. * nd of them, the last dimension fastest
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ebgan.data.arrays import by_number
from ebgan.data.packed import Packed
from ebgan.errors import DataError

_PREFIXES = {"train": "train", "test": "t10k"}

_LARGEST = 1 << 33  # bytes of an array; a header that states more is damaged or hostile


def find_idx(folder: Path, split: str) -> Path | None:
    """The images' file of a split in a folder of MNIST's files, or None if it holds none.

    Raises DataError if only the other split is there.
    """
    found = {name: _existing(folder, prefix, "images", 3) for name, prefix in _PREFIXES.items()}
    if found[split] is None and any(found.values()):
        raise DataError(f"{folder}: the file {_PREFIXES[split]}-images-idx3-ubyte.gz is missing")
    return found[split]


def read_idx(path: Path, classes: tuple[str, ...], name: str) -> Packed:
    """The images of an idx file [N, H, W], with labels if MNIST's file of labels lies in the same folder.

    Without `classes`, the labels that occur are named by their numbers. Raises DataError for a damaged file.
    """
    images = read_idx_array(path)
    if images.ndim != 3:
        raise DataError(f"{path}: holds {images.ndim} dimensions; a file of images has 3")
    prefix = path.name.partition("-images")[0]
    beside = _existing(path.parent, prefix, "labels", 1) if "-images" in path.name else None
    if beside is None:
        return Packed(images[:, None], name=name)
    labels = read_idx_array(beside).astype(np.int64)
    if not classes and labels.size:
        labels, classes = by_number(labels)
    return Packed(images[:, None], labels, classes, name)


def read_idx_array(path: Path) -> NDArray[np.uint8]:
    """The array of bytes in an idx file; raises DataError if it is damaged, too short or too long."""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            return _read(gzip.GzipFile(fileobj=raw) if zipped else raw)
    except (OSError, EOFError, zlib.error, struct.error, ValueError) as error:
        raise DataError(f"{path}: not an idx file of bytes, or a damaged one ({error}). Get the file again.") from error


def _read(file: BinaryIO | gzip.GzipFile) -> NDArray[np.uint8]:
    zero, kind, dimensions = struct.unpack(">HBB", file.read(4))
    if (zero, kind) != (0, 8):
        raise ValueError("it does not begin with 0 0 8")
    shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
    if math.prod(shape) > _LARGEST:
        raise ValueError(f"{' x '.join(map(str, shape))} bytes are more than the {_LARGEST:,} allowed")
    content = file.read(math.prod(shape) + 1)  # one byte more detects trailing bytes and makes gzip check its checksum
    if len(content) != math.prod(shape):
        raise ValueError(f"{len(content):,} bytes or more instead of {' x '.join(map(str, shape))}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _existing(folder: Path, prefix: str, content: str, dimensions: int) -> Path | None:
    stems = (f"{prefix}-{content}-idx{dimensions}-ubyte", f"{prefix}-{content}.idx{dimensions}-ubyte")
    paths = [folder / f"{stem}{ending}" for stem in stems for ending in ("", ".gz")]
    return next((path for path in paths if path.is_file()), None)
