"""The picture files in a folder and its subfolders."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, final

from ebgan.data.store import Entry, Store, hidden, in_order, printable, version_of, with_slashes


@final
@dataclass(frozen=True)
class Tree(Store):
    """The files below a folder.

    Hidden files and folders, `__MACOSX`, and links to folders within or above this one are left out; each folder is
    read once.
    """

    path: Path

    def entries(self) -> list[Entry]:
        files = list(self._files())
        return in_order([Entry(printable(name), inner) for name, inner in zip(with_slashes(files), files, strict=True)])

    def content(self, entry: Entry) -> Path | BinaryIO:
        path: Path = self.path / entry.where
        if path.is_symlink() and not path.exists():
            raise ValueError("a link that leads to no file")
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):  # `_files` also yields the folders that could not be listed
            raise ValueError("no permission to read this folder")
        if not stat.S_ISREG(kind):
            raise ValueError("not a regular file")
        return path

    def version(self, entry: Entry) -> str:
        with suppress(OSError):
            return version_of(self.path / entry.where)
        return ""

    def _files(self) -> Iterator[str]:
        root = self.path.resolve()
        seen, closed = {root}, list[str]()
        walk = os.walk(self.path, followlinks=True, onerror=lambda error: closed.append(error.filename))
        for parent, folders, files in walk:
            folders[:] = [name for name in folders if not hidden(name) and _enters(Path(parent, name), root, seen)]
            inner = Path(parent).relative_to(self.path)
            yield from (str(inner / name) for name in files if not hidden(name))
        yield from (str(Path(folder).relative_to(self.path)) for folder in closed)


def _enters(folder: Path, root: Path, seen: set[Path]) -> bool:
    """Whether to read a folder: only once, and not through a link to a folder within the root or above it."""
    real = folder.resolve()
    if real in seen or (folder.is_symlink() and (real.is_relative_to(root) or root.is_relative_to(real))):
        return False
    seen.add(real)
    return True
