"""Read the files in a zip or tar archive in place: list the archive once, then read each file at its offset.

Nothing is unpacked to the disk, so names with `..`, absolute names and links cannot write outside a folder; they are
refused all the same. A tar within a tar, like the tar of each class in ImageNet's, counts as a folder.
"""

from __future__ import annotations

import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, final

from ebgan.data.kinds import START
from ebgan.data.store import LARGEST, Entry, Store, hidden, in_order, printable, version_of, with_slashes
from ebgan.errors import DataError

_LOCAL_HEADER = 30  # bytes of the fixed part of a zip's local file header; its last four give the length of the rest
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")  # first bytes of gzip, bzip2, xz and zstd files
_ENCRYPTED = 0x1
_PIECE = 1 << 20  # bytes read at a time
_RATIO = 1000  # files that grow by more than this when inflated are refused; pictures hardly grow


class Span(NamedTuple):
    """Where a file lies within an archive."""

    start: int  # offset of the content; in a zip, of the header before it
    length: int  # bytes in the archive
    size: int  # bytes after inflating
    kind: str  # plain (tar), stored or deflated (zip), or the reason why it is not read
    crc: int = 0  # CRC-32 of the content, in a zip
    version: str = ""  # the archive's version (`version_of`) when it was listed


@final
@dataclass(frozen=True)
class Archive(Store):
    """The files in a zip or an uncompressed tar."""

    path: Path

    def entries(self) -> list[Entry]:
        version = version_of(self.path)
        files = [(_plain(name), span._replace(version=version)) for name, span in self._files()]
        names = with_slashes([name for name, _ in files])
        spans = [span for _, span in files]
        return in_order(
            [Entry(printable(name), span) for name, span in zip(names, spans, strict=True) if not hidden(name)]
        )

    def content(self, entry: Entry) -> Path | BinaryIO:
        span: Span = entry.where
        file = self._readable(span)  # the variable keeps the file open while it is read
        return io.BytesIO(_read(file.descriptor, span))

    def start(self, entry: Entry) -> bytes:
        span: Span = entry.where
        file = self._readable(span)
        return _begin(file.descriptor, span)

    def _readable(self, span: Span) -> _File:
        """The open archive. Raises ValueError, with the reason, if the file at `span` is not read."""
        if span.kind not in ("plain", "stored", "deflated"):
            raise ValueError(span.kind)
        if span.size > LARGEST:
            raise ValueError(f"{span.size:,} bytes are more than the {LARGEST:,} allowed")
        if span.size > _RATIO * max(span.length, 1):
            raise ValueError(f"{span.length:,} bytes that inflate to {span.size:,}")
        file = _opened(self.path, version_of(self.path))
        if file.version != span.version:
            raise ValueError("the archive was replaced after it was listed")
        return file

    def version(self, entry: Entry) -> str:
        return str(entry.where.version)

    def _files(self) -> Iterator[tuple[str, Span]]:
        try:
            yield from _zipped(self.path) if zipfile.is_zipfile(self.path) else _tarred(self.path)
        except DataError:
            raise
        except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error, ValueError) as error:
            raise DataError(f"{self.path}: the archive could not be read ({error}). Get it again.") from error


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or a tar of any kind."""
    try:
        return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):  # a file that only begins like a compressed one
        return False


def _zipped(path: Path) -> Iterator[tuple[str, Span]]:
    kinds = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = member.filename.replace("\\", "/")  # some Windows programs write backslashes
            if name.endswith("/"):
                continue
            kind = kinds.get(member.compress_type, f"compressed by method {member.compress_type}, which is not read")
            if member.flag_bits & _ENCRYPTED:
                kind = "encrypted"
            kind = _refused(name) or ("a link" if stat.S_ISLNK(member.external_attr >> 16) else kind)
            yield name, Span(member.header_offset, member.compress_size, member.file_size, kind, member.CRC)


def _tarred(path: Path) -> Iterator[tuple[str, Span]]:
    with path.open("rb") as file:
        if file.read(6).startswith(_COMPRESSED):
            raise DataError(
                f"{path}: a compressed tar cannot be read in place: unpack it with `tar -xf` and give the "
                "folder, or uncompress it and give the tar"
            )
        with tarfile.open(path, "r:") as archive:
            for member in _members(archive, file, path.stat().st_size, str(path)):
                if member.isreg() and member.name.endswith(".tar"):
                    yield from _nested(file, member, path)
                elif not member.isdir():
                    yield member.name, _span(member)


def _nested(file: BinaryIO, outer: tarfile.TarInfo, path: Path) -> Iterator[tuple[str, Span]]:
    file.seek(outer.offset_data)
    with tarfile.open(fileobj=file, mode="r:") as archive:
        end = outer.offset_data + outer.size
        for member in _members(archive, file, end, f"{path}, {printable(outer.name)}"):
            if not member.isdir():
                yield f"{outer.name.removesuffix('.tar')}/{_plain(member.name)}", _span(member)


def _members(archive: tarfile.TarFile, file: BinaryIO, end: int, name: str) -> list[tarfile.TarInfo]:
    """The members of a tar that ends at offset `end` of the file.

    Raises DataError unless only zeros follow the last member: `tarfile` takes a damaged header for the end of the tar.
    """
    members = archive.getmembers()
    file.seek(archive.offset)
    if archive.offset + tarfile.BLOCKSIZE > end or not _zeros(file, end):
        within = [member.name for member in members if member.offset_data + member.size <= end]
        last = printable(within[-1]) if within else "its beginning"
        raise DataError(f"{name}: the tar is cut short or damaged after {last}: get it again")
    return members


def _zeros(file: BinaryIO, end: int) -> bool:
    """Whether all bytes from the current position to offset `end` are zero."""
    while (left := end - file.tell()) > 0:
        piece = file.read(min(left, _PIECE))
        if any(piece):
            return False
        if not piece:
            break
    return True


def _span(member: tarfile.TarInfo) -> Span:
    link = member.issym() or member.islnk()
    kind = "plain" if member.isreg() and not member.issparse() else "a link" if link else "not a file"
    return Span(member.offset_data, member.size, member.size, _refused(member.name) or kind)


def _refused(name: str) -> str:
    """Why a file of this name is not read; "" if it is."""
    outside = name.startswith("/") or ".." in PurePosixPath(name).parts
    return "a name that leads out of the archive" if outside else ""


def _plain(name: str) -> str:
    return name.removeprefix("./")


class _File:
    """An open file, read at given offsets from any thread; it is closed when the last reference to it is gone."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY)
        self.version = version_of(path)

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):
            os.close(self.descriptor)


@lru_cache(maxsize=1)
def _opened(path: Path, version: str) -> _File:  # noqa: ARG001 - another version is another file
    """The open archive; the process keeps the last one open."""
    return _File(path)


def _begin(archive: int, span: Span) -> bytes:
    """The first bytes of a file in an archive, which is given by its descriptor."""
    start = span.start + (0 if span.kind == "plain" else _header_length(archive, span))
    packed = os.pread(archive, min(span.length, START), start)
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, START) if span.kind == "deflated" else packed
    except zlib.error as error:
        raise ValueError(f"damaged within the archive ({error})") from error


def _header_length(archive: int, span: Span) -> int:
    """Bytes of a zip's local header before a file."""
    header = os.pread(archive, _LOCAL_HEADER, span.start)
    return _LOCAL_HEADER + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")


def _read(archive: int, span: Span) -> bytes:
    """The bytes of a file. Raises ValueError if its size or checksum is not the one that the archive states."""
    if span.kind == "plain":
        return _exactly(os.pread(archive, span.length, span.start), span.size)
    packed = os.pread(archive, span.length, span.start + _header_length(archive, span))
    try:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS).decompress
        content = packed if span.kind == "stored" else inflate(packed, span.size + 1)  # 0 would be no limit
    except zlib.error as error:
        raise ValueError(f"damaged within the archive ({error})") from error
    if zlib.crc32(content) != span.crc:
        raise ValueError("damaged within the archive: its checksum differs")
    return _exactly(content, span.size)


def _exactly(content: bytes, size: int) -> bytes:
    if len(content) != size:
        raise ValueError(f"cut short within the archive: {len(content):,} of {size:,} bytes")
    return content
