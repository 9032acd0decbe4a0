"""Pictures that are decoded once: the next process that asks for the same ones in the same size maps them from a file.

What is kept are pixels and the names of the files that they came from. Labels, and the files that could not be decoded,
are found anew each time; they cost little. The key of a file in the cache is a digest of what the pixels depend on:
size, channels and white point, Pillow's version, and of each picture's file its name and

    in a zip       its size and CRC-32: the zip itself may be moved, copied or touched
    anywhere else  its place, and size, inode and times of change of the file that holds it

A file that was changed a moment ago is not trusted to have another time when it is changed again: it is decoded anew
until it is two seconds old.
"""

from __future__ import annotations

import hashlib
import logging
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL
from numpy.typing import NDArray

from ebgan.data.archive import Archive
from ebgan.data.cache_folder import NO_CACHE, CacheFolder, cache_wanted, use
from ebgan.data.listing import Listing
from ebgan.data.lsun import FILE, Database
from ebgan.data.packed import Packed, open_packed, write_packed
from ebgan.data.tree import Tree
from ebgan.distributed import rank
from ebgan.errors import DataError

_log = logging.getLogger(__name__)
_FORMAT = 2  # changes when pictures are decoded in another way
_FEWEST, _LEAST = 1000, 1 << 26  # sets of fewer files and of fewer bytes are decoded in a second or so
_SETTLED = 2.0  # seconds after which a file that is changed has another time, on any file system

_told: set[Path] = set()  # files of the cache that the user was told of


class Pictures(NamedTuple):
    """The pictures of a listing, decoded."""

    images: NDArray[np.uint8]  # [N, C, size, size]
    names: tuple[str, ...]  # [N] of the files that could be decoded
    refused: list[str]  # the others, with reasons
    path: Path | None = None  # the file that the images are mapped from
    deepest: int = 0  # the highest level of pictures of 16 bits, 0 where there are none


class _Request(NamedTuple):
    """Which pictures are wanted, and how."""

    size: int
    channels: int | None
    make_listing: Callable[[], Listing]
    decode: Callable[[Listing], Pictures]
    white: int | None = None


class _Content(NamedTuple):
    """What the content of a file is known by."""

    description: str
    bytes: int
    changed: float = 0.0  # when, in seconds since 1970, where the description depends on that


class _Identity(NamedTuple):
    """What tells pictures from all others."""

    key: str
    bytes: int  # of their files, where these are known
    changed: float  # when the newest of the files was changed, where the key depends on that


def through_cache(
    make_listing: Callable[[], Listing],
    size: int,
    channels: int | None,
    decode: Callable[[Listing], Pictures],
    white: int | None = None,
) -> tuple[Listing, Pictures]:
    """The files of a place and their pictures, from the cache if they are there, else decoded and kept.

    A cache that cannot be written to is left alone, with a warning.
    """
    listing, request = make_listing(), _Request(size, channels, make_listing, decode, white)
    if not cache_wanted() or not _distinct(listing):
        return listing, decode(listing)
    identity = _identify(listing, request)
    if len(listing.entries) < _FEWEST and identity.bytes < _LEAST:
        return listing, decode(listing)
    folder = CacheFolder.of_the_user()
    found = _find(folder.file(identity.key), listing, request)
    return listing, found or _make(folder, identity, listing, request)


def _make(folder: CacheFolder, identity: _Identity, listing: Listing, request: _Request) -> Pictures:
    """Decode pictures and keep them, unless another process has done so meanwhile."""
    pictures = None
    try:
        with folder.making(identity.key):
            pictures = _find(folder.file(identity.key), listing, request)
            obstacle = "" if pictures else _obstacle(folder, identity, listing, request)
            if pictures is None:
                _announce(folder, listing, obstacle)
            if pictures is None and not obstacle:
                pictures = request.decode(listing)
                _keep(folder.file(identity.key), identity, pictures, request)
    except OSError as error:
        _log.warning("decoded pictures could not be kept: %s", error)
    return request.decode(listing) if pictures is None else pictures


def _obstacle(folder: CacheFolder, identity: _Identity, listing: Listing, request: _Request) -> str:
    """Why pictures are not kept; "" if they are."""
    if time.time() - identity.changed < _SETTLED:
        return "files were changed a moment ago"
    return folder.make_room(len(listing.entries) * (request.channels or 3) * request.size**2)


def _announce(folder: CacheFolder, listing: Listing, obstacle: str) -> None:
    outcome = f"not kept: {obstacle}" if obstacle else f"kept for the next time in {folder.path} ({NO_CACHE}=1: not)"
    _log.info("%s: decoding %s pictures, %s", listing.store.path.name, f"{len(listing.entries):,}", outcome)


def _keep(file: Path, identity: _Identity, pictures: Pictures, request: _Request) -> None:
    """Write pictures to the cache, if their files are still those that were listed."""
    if not pictures.names or _identify(request.make_listing(), request).key != identity.key:
        return
    write_packed(file, Packed(pictures.images, name=f"{file.stem} {pictures.deepest}", names=pictures.names))
    _told.add(file)


def _find(file: Path, listing: Listing, request: _Request) -> Pictures | None:
    """The pictures of a listing in a file of the cache; None if it is not there, or not whole.

    Files that could not be decoded are tried again: if one can be now, what hindered it is gone, and all are decoded.
    """
    try:
        use(file)
        packed = open_packed(file)
    except OSError:
        return None
    except DataError as error:
        _log.warning("%s The pictures are decoded again.", error)
        return None
    key, _, deepest = packed.name.partition(" ")
    if key != file.stem or not deepest.isdecimal():  # copied there by hand
        return None
    names = packed.names or ()
    known, refused = set(names), []
    for entry in listing.entries:
        if entry.name not in known:
            attempt = listing.store.attempt(entry, request.size, None, request.white)
            if attempt.pixels is not None:
                return None
            refused.append(f"{entry.name}: {attempt.reason}")
    if len(known) + len(refused) != len(listing.entries):
        return None
    if file not in _told and rank().index == 0:
        _log.info("%s: %s pictures, decoded before, from %s", listing.store.path.name, f"{len(names):,}", file)
    _told.add(file)
    return Pictures(packed.images, names, refused, file, int(deepest))


def _distinct(listing: Listing) -> bool:
    return len({entry.name for entry in listing.entries}) == len(listing.entries)


def _identify(listing: Listing, request: _Request) -> _Identity:
    """The identity of the pictures of a listing."""
    digest = hashlib.sha256(repr((_FORMAT, PIL.__version__, request.size, request.channels, request.white)).encode())
    length, changed = 0, 0.0
    for entry, content in zip(listing.entries, _contents(listing), strict=True):
        digest.update(f"{entry.name}\0{content.description}\n".encode("utf-8", "surrogatepass"))
        length, changed = length + content.bytes, max(changed, content.changed)
    return _Identity(digest.hexdigest()[:32], length, changed)


def _contents(listing: Listing) -> Iterator[_Content]:
    """What the content of each file of a listing is known by."""
    store = listing.store
    if isinstance(store, Archive) and zipfile.is_zipfile(store.path):
        for _, span in listing.entries:
            yield _Content(f"{span.size} {span.crc} {span.kind}", span.size)
    elif isinstance(store, Tree):
        root = store.path.resolve()
        for _, inner in listing.entries:
            yield _content_of(root / inner)
    else:
        whole = _content_of(store.path / FILE if isinstance(store, Database) else store.path.resolve())
        for _, where in listing.entries:
            yield whole._replace(description=f"{whole.description} {where!r}", bytes=0)


def _content_of(file: Path) -> _Content:
    try:
        stat = file.stat()
    except OSError as error:
        return _Content(f"{file} {error.strerror}", 0)
    times = f"{stat.st_mtime_ns} {stat.st_ctime_ns}"
    return _Content(f"{file} {stat.st_size} {stat.st_ino} {times}", stat.st_size, max(stat.st_mtime, stat.st_ctime))
