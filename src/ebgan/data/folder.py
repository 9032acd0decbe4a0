"""Read pictures into memory: all of a folder or archive, with or without class folders, or a single file."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebgan.data.kinds import kind_of, start_of
from ebgan.data.listing import Choice, Listing, list_pictures
from ebgan.data.packed import Packed
from ebgan.data.picture import channels_first, said_of_depth
from ebgan.data.picture_cache import Pictures, through_cache
from ebgan.data.store import Entry, printable
from ebgan.data.tree import Tree
from ebgan.errors import DataError

_log = logging.getLogger(__name__)
_LISTED = 50  # refused files named in the warning; the rest are counted


def read_pictures(
    path: Path, size: int, channels: int | None = None, choice: Choice | None = None, white: int | None = None
) -> Packed:
    """All pictures of a folder or archive, decoded by `decode_picture` to [N, channels, size, size].

    Without `channels` the set is grey if every file is, else colour. See `layout` for splits and `naming` for classes;
    the set's `notes` say how both were found. Files that cannot be decoded are left out and named in a warning.
    Raises DataError if no picture is left.
    """
    decode = partial(_decode, size=size, channels=channels, white=white)
    listing, pictures = through_cache(lambda: list_pictures(path, choice), size, channels, decode, white)
    _report(path, pictures.refused, pictures.names)
    labels, classes, how = listing.classify(pictures.names)
    notes = (how, *listing.notes, *said_of_depth(pictures.deepest, white))
    return Packed(pictures.images, labels, classes, path.name, pictures.names, pictures.path, notes)


def _decode(listing: Listing, size: int, channels: int | None, white: int | None) -> Pictures:
    """Decode the files of a listing with threads."""
    store, entries = listing.store, listing.entries
    pixels = np.empty((len(entries), channels or 3, size, size), np.uint8)
    kept: list[str] = []
    refused: list[str] = []
    grey, deepest = True, 0
    with ThreadPoolExecutor() as threads:
        attempts = threads.map(store.attempt, entries, repeat(size), repeat(None), repeat(white))
        for entry, attempt in zip(entries, attempts, strict=True):
            if attempt.pixels is None:
                refused.append(f"{entry.name}: {attempt.reason}")
                continue
            pixels[len(kept)] = channels_first(attempt.pixels, channels or 3)
            grey, deepest = grey and attempt.grey, max(deepest, attempt.deepest)
            kept.append(entry.name)
    return Pictures(_shown(pixels[: len(kept)], grey, channels), tuple(kept), refused, deepest=deepest)


def read_picture(path: Path, size: int | None = None, channels: int | None = None, white: int | None = None) -> Packed:
    """A set of one picture file, in its own size if `size` is None. Raises DataError if it cannot be decoded."""
    pixels, grey, deepest, reason = Tree(path.parent).attempt(Entry(path.name, path.name), size, None, white)
    if pixels is None:
        raise DataError(f"{path}: could not be decoded: {kind_of(start_of(path)) or reason}")
    images = channels_first(pixels, channels or (1 if grey else 3))[None]
    return Packed(images, name=path.stem, names=(printable(path.name),), notes=said_of_depth(deepest, white))


def _shown(pixels: NDArray[np.uint8], grey: bool, channels: int | None) -> NDArray[np.uint8]:
    """The pixels, reduced to one channel if all pictures are grey and no number of channels was requested."""
    return np.ascontiguousarray(pixels[:, :1]) if grey and channels is None else pixels


def _report(path: Path, refused: list[str], kept: tuple[str, ...]) -> None:
    """Warn about refused files. Raises DataError if no picture was kept."""
    listed = "\n".join(f"  {line}" for line in refused[:_LISTED])
    more = f"\n  and {len(refused) - _LISTED:,} more" if len(refused) > _LISTED else ""
    if not kept:
        found = f"could be decoded:\n{listed}{more}" if refused else "was found"
        raise DataError(f"{path}: no picture {found}")
    if refused:
        _log.warning("%s: %s pictures read, %s files refused:\n%s%s", path, len(kept), len(refused), listed, more)
