"""A set of uint8 images of one shape, in memory or mapped from a packed file.

A packed file holds, in this order (numbers are little-endian):

    magic      64 bytes, `EBGANPK2` and zeros
    pixels     uint8 [N, C, H, W]
    labels     int64 [N], if there are any
    header     JSON: shape, labelled, classes, names, name, checksum
    digest     32 bytes, SHA-256 of the header
    length     8 bytes, the length of the header

The digest protects the header, and the checksum in the header protects pixels, labels and classes. The header comes
last, so that pixels can be written before their number is known.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebgan.errors import DataError
from ebgan.storage.files import storage_errors

MAGIC = b"EBGANPK2"
START = MAGIC.ljust(64, b"\0")  # 64 bytes, which align the pixels
_CLOSING = 32 + 8  # bytes after the header: digest and length
UNKNOWN = -1  # the label of an image whose class is not known
_CHUNK = 1 << 24  # bytes of pixels hashed or written at a time


@dataclass(frozen=True, eq=False)
class Packed:
    """Images of one shape, possibly with labels. Raises DataError for fields that do not fit together."""

    images: NDArray[np.uint8]  # [N, C, H, W], N at least 1
    labels: NDArray[np.int64] | None = None  # [N], each the index of a class, or UNKNOWN
    classes: tuple[str, ...] = ()  # names of the classes; () if there are no labels
    name: str = "images"
    names: tuple[str, ...] | None = None  # [N] file names, if the images come from files
    path: Path | None = None  # the packed file that the images are mapped from; its labels may differ from `labels`
    notes: tuple[str, ...] = ()  # sentences: how the pictures and their classes were found; not written to files

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.dtype != np.uint8 or images.ndim != 4 or images.size == 0:
            raise DataError(f"{self.name}: images are {_described(images)}; expected uint8 [N, C, H, W], N at least 1")
        if (labels is None) != (not self.classes):
            raise DataError(f"{self.name}: labels and the names of their classes come together or not at all")
        if labels is not None:
            self._check_labels(labels)
        if self.names is not None and len(self.names) != len(images):
            raise DataError(f"{self.name}: {len(self.names):,} file names for {len(images):,} images")

    def _check_labels(self, labels: NDArray[np.int64]) -> None:
        if labels.dtype != np.int64 or labels.shape != (len(self),):
            raise DataError(f"{self.name}: labels are {_described(labels)}; expected int64 [{len(self)}]")
        low, high = int(labels.min()), int(labels.max())
        if low < UNKNOWN or high >= len(self.classes):
            raise DataError(f"{self.name}: labels from {low} to {high}; {len(self.classes)} classes are named")

    def __len__(self) -> int:
        return len(self.images)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Pickle the path of the packed file, if there is one, instead of the pixels."""
        if self.path is not None:
            return _mapped_with, (self.path, self.labels, self.classes)
        return Packed, (self.images, self.labels, self.classes, self.name, self.names)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        _, channels, height, width = self.images.shape
        return channels, height, width

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of shape, labels, classes and pixels, in hexadecimal; the same in memory and from a file."""
        digest = hashlib.sha256()
        described = {"shape": self.images.shape, "labelled": self.labels is not None, "classes": self.classes}
        digest.update(json.dumps(described).encode())
        if self.labels is not None:
            digest.update(self.labels.astype("<i8").tobytes())
        for rows in self.rows():
            digest.update(rows.data)
        return digest.hexdigest()

    def rows(self) -> Iterator[NDArray[np.uint8]]:
        """Yield all images in order, as contiguous arrays [n, C, H, W] of at most 16 MiB (at least one image)."""
        step = max(1, _CHUNK // self.images[0].size)
        for start in range(0, len(self), step):
            yield np.ascontiguousarray(self.images[start : start + step])

    def padded(self, pixels: int) -> Packed:
        """The same set in memory, with `pixels` black pixels added on each side of each image."""
        sides = ((0, 0), (0, 0), (pixels, pixels), (pixels, pixels))
        return replace(self, images=np.pad(self.images, sides), path=None)

    def centred(self, size: int) -> Packed:
        """The same set, with each image cropped to its centred square of `size` pixels (a view)."""
        _, height, width = self.shape
        top, left = (height - size) // 2, (width - size) // 2
        pieces = self.images[..., top : top + size, left : left + size]
        return replace(self, images=pieces, path=None)


def write_packed(path: Path, packed: Packed) -> None:
    """Write a packed file atomically. Raises StorageError if it cannot be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with storage_errors(path, packed.images.size):
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(START)
                for rows in packed.rows():
                    file.write(rows.data)
        finish_packed(temporary, path, packed)
    finally:
        temporary.unlink(missing_ok=True)


def finish_packed(part: Path, path: Path, packed: Packed) -> None:
    """Finish a packed file: append labels and header to `part`, which holds START and the pixels, and rename it.

    Raises StorageError if it cannot be written.
    """
    header = _header(packed)
    labels = b"" if packed.labels is None else packed.labels.astype("<i8").tobytes()
    closing = labels + header + hashlib.sha256(header).digest() + len(header).to_bytes(8, "little")
    with storage_errors(path, len(closing)):
        with part.open("ab") as file:
            file.write(closing)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)


def map_pixels(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The pixels [N, C, H, W] of a packed file, finished or not, mapped read-only."""
    return np.memmap(path, np.uint8, "r", len(START), shape)


def open_packed(path: Path) -> Packed:
    """Open a packed file with its pixels mapped read-only, and verify its checksum by reading it once.

    Raises DataError, with the path, if any byte was changed or lost.
    """
    packed = _mapped(path)
    if packed.checksum != _read_header(path)["checksum"]:
        raise _damaged(path, "its contents do not match their checksum")
    return packed


def _header(packed: Packed) -> bytes:
    fields = {
        "shape": packed.images.shape,
        "labelled": packed.labels is not None,
        "classes": packed.classes,
        "names": packed.names,
        "name": packed.name,
        "checksum": packed.checksum,
    }
    return json.dumps(fields).encode()


def _mapped(path: Path) -> Packed:
    """The set in a packed file; header and length are verified, the pixels are not."""
    header = _read_header(path)
    try:
        return _described_by(header, path)
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise _damaged(path, str(error)) from error


def _mapped_with(path: Path, labels: NDArray[np.int64] | None, classes: tuple[str, ...]) -> Packed:
    return replace(_mapped(path), labels=labels, classes=classes)


def _described_by(header: dict[str, Any], path: Path) -> Packed:
    shape, labelled = tuple(header["shape"]), bool(header["labelled"])
    after_pixels = len(START) + math.prod(shape)
    if path.stat().st_size != after_pixels + 8 * shape[0] * labelled + header["bytes"]:
        raise ValueError(f"{path.stat().st_size:,} bytes do not hold images {list(shape)}")
    labels = np.fromfile(path, "<i8", shape[0], offset=after_pixels).astype(np.int64) if labelled else None
    names = None if header["names"] is None else tuple(header["names"])
    return Packed(map_pixels(path, shape), labels, tuple(header["classes"]), header["name"], names, path)


def _read_header(path: Path) -> dict[str, Any]:
    """The header of a packed file, with `bytes` added: the length of everything after the labels."""
    try:
        with path.open("rb") as file:
            start, end = file.read(len(START)), file.seek(0, os.SEEK_END)
            file.seek(max(end - _CLOSING, 0))
            closing = file.read()
            length = int.from_bytes(closing[32:], "little")
            file.seek(max(end - _CLOSING - length, 0))
            text = file.read(min(length, end))
    except OSError as error:
        raise DataError(f"{path}: could not be read ({error.strerror})") from error
    if start != START:
        raise DataError(f"{path}: not a packed file, or a damaged one, or one of another version of the format")
    if hashlib.sha256(text).digest() != closing[:32]:
        raise _damaged(path, "its header does not match its checksum")
    header: dict[str, Any] = json.loads(text)
    return header | {"bytes": len(text) + _CLOSING}


def _damaged(path: Path, why: str) -> DataError:
    return DataError(f"{path}: the packed file is damaged: {why}. Make or copy it again.")


def _described(array: NDArray[Any]) -> str:
    return f"{array.dtype} {list(array.shape)}"
