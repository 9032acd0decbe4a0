"""Where pictures lie: a tree of files, an archive or a database, read in place and always in the same order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import UnidentifiedImageError

from ebgan.data.kinds import START, start_of
from ebgan.data.picture import decode_picture

LARGEST = 1 << 28  # bytes of a picture's file: what claims more is damaged or hostile


def version_of(file: Path) -> str:
    """What tells a file from another that has taken its place: its size and time."""
    found = file.stat()
    return f"{found.st_size} {found.st_mtime_ns}"


class Entry(NamedTuple):
    """A file in a store, whether it is a picture or not."""

    name: str  # its path within the store, with / between folders, fit to be printed
    where: Any  # how its store finds it; other processes can be told


class Attempt(NamedTuple):
    """What came of decoding a file: a picture, or the reason why there is none."""

    pixels: NDArray[np.uint8] | None  # [H, W, 3]
    grey: bool
    deepest: int  # the highest of its levels if these are of 16 bits, 0 for others
    reason: str


class Store(ABC):
    """Files in one place. Subclasses are final, frozen dataclasses, so that other processes can be told."""

    path: Path

    @abstractmethod
    def entries(self) -> list[Entry]:
        """Every file that is not hidden, in the order of `in_order`. Raises DataError for a damaged archive."""

    @abstractmethod
    def content(self, entry: Entry) -> Path | BinaryIO:
        """A file as Pillow takes it. Raises OSError or ValueError, which says why, for one that is not to be read."""

    def start(self, entry: Entry) -> bytes:
        """The first bytes of a file. Raises OSError or ValueError as `content` does."""
        content = self.content(entry)
        return start_of(content) if isinstance(content, Path) else content.read(START)

    def version(self, entry: Entry) -> str:  # noqa: ARG002
        """What tells a file from another in its place, where the place does not."""
        return ""

    def attempt(self, entry: Entry, size: int | None, crop: int | None = None, white: int | None = None) -> Attempt:
        """The picture in a file (see `decode_picture`), or the reason why there is none."""
        try:
            return Attempt(*decode_picture(self.content(entry), size, crop, white), "")
        except Exception as error:  # Pillow's decoders raise errors of every kind on damaged files
            return Attempt(None, False, 0, self._said(error))

    def _said(self, error: Exception) -> str:
        """An error's message on one line, which does not name the file again."""
        if isinstance(error, UnidentifiedImageError):
            return "cannot identify image file"
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        return printable(" ".join(str(error).replace(str(self.path), "").split())) or type(error).__name__


def in_order(entries: list[Entry]) -> list[Entry]:
    """Entries by their names, folder by folder: the same whatever the store, the machine and the day."""
    return sorted(entries, key=lambda entry: entry.name.split("/"))


def with_slashes(names: list[str]) -> list[str]:
    r"""Names with `/` between folders where most have `\` and none has `/`, as some programs of Windows write them."""
    if any("/" in name for name in names) or 2 * sum("\\" in name for name in names) <= len(names):
        return names
    return [name.replace("\\", "/") for name in names]


def hidden(name: str) -> bool:
    """Whether a path is hidden, or a by-product of packing on a Mac."""
    return any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in name.split("/"))


def printable(name: str) -> str:
    """A name with what is no text, or would break a line, escaped."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in name)
