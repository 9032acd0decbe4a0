"""The interface to pictures in a folder, an archive or a database: listed in a fixed order and read in place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import UnidentifiedImageError

from ebgan.data.kinds import START, start_of
from ebgan.data.picture import decode_picture

LARGEST = 1 << 28  # most bytes of a picture file; a larger one is damaged or hostile


def version_of(file: Path) -> str:
    """The size and modification time of a file, which change when it is replaced."""
    found = file.stat()
    return f"{found.st_size} {found.st_mtime_ns}"


class Entry(NamedTuple):
    """A file in a store, whether it is a picture or not."""

    name: str  # its path within the store, with / between folders, printable
    where: Any  # how the store finds it; can be pickled


class Attempt(NamedTuple):
    """The result of decoding a file: a picture, or the reason why it failed."""

    pixels: NDArray[np.uint8] | None  # [H, W, 3], None if it failed
    grey: bool
    deepest: int  # the highest level of a 16-bit picture, 0 for others
    reason: str  # "" if it succeeded


class Store(ABC):
    """The files of a folder, archive or database. Subclasses are final, frozen dataclasses that can be pickled."""

    path: Path

    @abstractmethod
    def entries(self) -> list[Entry]:
        """All files that are not hidden, in the order of `in_order`. Raises DataError for a damaged archive."""

    @abstractmethod
    def content(self, entry: Entry) -> Path | BinaryIO:
        """A file's path or open stream. Raises OSError or ValueError, with the reason, if it cannot be read."""

    def start(self, entry: Entry) -> bytes:
        """The first bytes of a file. Raises OSError or ValueError as `content` does."""
        content = self.content(entry)
        return start_of(content) if isinstance(content, Path) else content.read(START)

    def version(self, entry: Entry) -> str:  # noqa: ARG002
        """A string that changes when the file is replaced; "" if `Entry.where` already changes then."""
        return ""

    def attempt(self, entry: Entry, size: int | None, crop: int | None = None, white: int | None = None) -> Attempt:
        """Decode a picture (see `decode_picture`); errors are returned as the reason, not raised."""
        try:
            return Attempt(*decode_picture(self.content(entry), size, crop, white), "")
        except Exception as error:  # Pillow's decoders raise errors of every kind on damaged files
            return Attempt(None, False, 0, self._reason(error))

    def _reason(self, error: Exception) -> str:
        """An error's message on one line, without the path."""
        if isinstance(error, UnidentifiedImageError):
            return "cannot identify image file"
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        return printable(" ".join(str(error).replace(str(self.path), "").split())) or type(error).__name__


def in_order(entries: list[Entry]) -> list[Entry]:
    """Entries sorted by name, folder by folder; the order is the same for every store and machine."""
    return sorted(entries, key=lambda entry: entry.name.split("/"))


def with_slashes(names: list[str]) -> list[str]:
    r"""Replace `\` by `/` if most names have `\` and none has `/`, as some Windows programs write them."""
    if any("/" in name for name in names) or 2 * sum("\\" in name for name in names) <= len(names):
        return names
    return [name.replace("\\", "/") for name in names]


def hidden(name: str) -> bool:
    """Whether a path is hidden, or lies in the folder `__MACOSX` that macOS adds to zips."""
    return any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in name.split("/"))


def printable(name: str) -> str:
    """A name with unprintable characters, such as line breaks, escaped."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in name)
