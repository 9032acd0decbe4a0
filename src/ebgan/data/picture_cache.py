"""The cache of decoded pictures: a later process that needs the same pictures and size maps them from a file.

A cache file holds the pixels and the names of their files. Labels and refused files are found again each time, which
costs little. The key of a cache file is a digest of everything that the pixels depend on: size, channels, white level,
Pillow's version, and for each picture its name and

    in a zip       its size and CRC-32, so that the zip itself may be moved or copied
    anywhere else  the path, size, inode, mtime and ctime of its file

Two changes within a moment may leave a file with the same times. Pictures from a file that was changed less than two
seconds ago are therefore not cached.
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
_FEWEST, _LEAST = 1000, 1 << 26  # sets with fewer files and fewer bytes decode in about a second and are not cached
_SETTLED = 2.0  # seconds after which another change gives a file another time, on any file system

_announced: set[Path] = set()  # cache files whose use was logged


class Pictures(NamedTuple):
    """The pictures of a listing, decoded."""

    images: NDArray[np.uint8]  # [N, C, size, size]
    names: tuple[str, ...]  # [N] of the files that could be decoded
    refused: list[str]  # the files that could not be decoded, with reasons
    path: Path | None = None  # the file that the images are mapped from
    deepest: int = 0  # the highest level in any 16-bit picture, 0 if there are none


class _Request(NamedTuple):
    """The pictures to decode, and the options."""

    size: int
    channels: int | None
    make_listing: Callable[[], Listing]
    decode: Callable[[Listing], Pictures]
    white: int | None = None


class _Content(NamedTuple):
    """What identifies the content of a file."""

    description: str
    bytes: int
    changed: float = 0.0  # modification time, seconds since 1970; 0 if the description does not depend on it


class _Identity(NamedTuple):
    """What identifies a set of decoded pictures."""

    key: str
    bytes: int  # of their files, as far as known
    changed: float  # modification time of the newest file; 0 if the key does not depend on it


def through_cache(
    make_listing: Callable[[], Listing],
    size: int,
    channels: int | None,
    decode: Callable[[Listing], Pictures],
    white: int | None = None,
) -> tuple[Listing, Pictures]:
    """The listing and its pictures, read from the cache if it has them, else decoded and cached.

    If the cache cannot be written, a warning is logged.
    """
    listing, request = make_listing(), _Request(size, channels, make_listing, decode, white)
    names = {entry.name for entry in listing.entries}
    if not cache_wanted() or len(names) < len(listing.entries):
        return listing, decode(listing)
    identity = _identify(listing, request)
    if len(listing.entries) < _FEWEST and identity.bytes < _LEAST:
        return listing, decode(listing)
    folder = CacheFolder.of_the_user()
    found = _find(folder.file(identity.key), listing, request)
    return listing, found or _make(folder, identity, listing, request)


def _make(folder: CacheFolder, identity: _Identity, listing: Listing, request: _Request) -> Pictures:
    """Decode pictures and cache them, unless another process has done so in the meantime."""
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
    """The reason why pictures are not cached; "" if they are."""
    if time.time() - identity.changed < _SETTLED:
        return "files were changed a moment ago"
    return folder.make_room(len(listing.entries) * (request.channels or 3) * request.size**2)


def _announce(folder: CacheFolder, listing: Listing, obstacle: str) -> None:
    outcome = f"not cached: {obstacle}" if obstacle else f"cached in {folder.path} ({NO_CACHE}=1 turns this off)"
    _log.info("%s: decoding %s pictures, %s", listing.store.path.name, f"{len(listing.entries):,}", outcome)


def _keep(file: Path, identity: _Identity, pictures: Pictures, request: _Request) -> None:
    """Write pictures to the cache, if their files have not changed since they were listed."""
    if not pictures.names or _identify(request.make_listing(), request).key != identity.key:
        return
    write_packed(file, Packed(pictures.images, name=f"{file.stem} {pictures.deepest}", names=pictures.names))
    _announced.add(file)


def _find(file: Path, listing: Listing, request: _Request) -> Pictures | None:
    """The pictures of a listing from a cache file; None if it is missing or damaged.

    Files that could not be decoded are tried again. If one can be decoded now, None is returned, so that all are
    decoded again.
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
    if key != file.stem or not deepest.isdecimal():  # a file copied there by the user
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
    if file not in _announced and rank().index == 0:
        _log.info("%s: %s decoded pictures from the cache, %s", listing.store.path.name, f"{len(names):,}", file)
    _announced.add(file)
    return Pictures(packed.images, names, refused, file, int(deepest))


def _identify(listing: Listing, request: _Request) -> _Identity:
    """The identity of the pictures of a listing."""
    digest = hashlib.sha256(repr((_FORMAT, PIL.__version__, request.size, request.channels, request.white)).encode())
    length, changed = 0, 0.0
    for entry, content in zip(listing.entries, _contents(listing), strict=True):
        digest.update(f"{entry.name}\0{content.description}\n".encode("utf-8", "surrogatepass"))
        length, changed = length + content.bytes, max(changed, content.changed)
    return _Identity(digest.hexdigest()[:32], length, changed)


def _contents(listing: Listing) -> Iterator[_Content]:
    """What identifies the content of each file of a listing."""
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
