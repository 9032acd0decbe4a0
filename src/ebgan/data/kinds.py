"""Recognise files by name and first bytes: pictures, and other kinds that are refused with a message for each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

# Extensions of pictures: formats that are read, and formats that are not, whose files are reported instead of skipped.
_READ = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"),
)
_NOT_READ = (
    *(".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k", ".svg", ".eps", ".psd", ".tga", ".ico", ".exr", ".hdr"),
    *(".pfm", ".raw", ".cr2", ".nef", ".arw", ".dng", ".orf", ".rw2", ".dcm"),
)
PICTURES = frozenset((*_READ, *_NOT_READ))
START = 512  # bytes read to recognise a file

_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PORTABLE = re.compile(rb"P[1-6]\s")  # PBM, PGM and PPM
_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|\?xml)", re.IGNORECASE)
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_ARCHIVES = "unpack it, and give the folder"
_KINDS = {  # first bytes of files that are not pictures -> what they are, and what to do
    b"PAR1": ("a parquet file", "save its pictures as files, in Python by `datasets.load_dataset(...)`"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _ARCHIVES),
    b"Rar!": ("a rar archive", _ARCHIVES),
    b"\x89HDF": ("an HDF5 file", "save its array of images by numpy.save, as uint8 [n, H, W, C]"),
    b"%PDF": ("a PDF", "save its pictures as files"),
    **dict.fromkeys(_PICKLES, ("a pickle, which could run any code", "save its array of images by numpy.save")),
    b"SQLite format 3": ("a database", "save its pictures as files"),
}
_FOLDERS = {  # extensions of files that a folder may hold instead of pictures -> what they are, and what to do
    ".tar": ("tar shards, like webdataset's", "unpack them into one folder (`tar -xf` each), or give one of them"),
    ".parquet": ("parquet files", "save their pictures as files, in Python by `datasets.load_dataset(...)`"),
    ".arrow": ("arrow files", "save their pictures as files, in Python by `datasets.load_from_disk(...)`"),
    ".tfrecord": ("TFRecord files", "save their pictures as files"),
    ".npy": (".npy files", "give one of them, an array uint8 [n, H, W, C]"),
    ".npz": (".npz files", "give one of them"),
    ".zip": ("zips", "give one of them, or unpack them"),
    ".gz": ("compressed files", "unpack them"),
    ".7z": ("7z archives", "unpack them"),
    ".001": ("parts of an archive", "unpack them"),
    ".rar": ("rar archives", "unpack them"),
    ".mdb": ("lmdb databases in folders", "give one of these folders"),
    ".mp4": ("films", "save their pictures as files"),
}
_NAMED = {  # extensions of single files that are not pictures -> message
    **dict.fromkeys((".zip", ".tar", ".tgz"), "named like an archive, but not one, or damaged: get it again"),
    **dict.fromkeys((".csv", ".tsv"), "a table: give the pictures that it names, and this as --labels"),
}
_SHOWN = 5  # extensions in a message


def named_as_picture(name: str) -> bool:
    """Whether a file has the extension of a picture."""
    return PurePosixPath(name.lower()).suffix in PICTURES


def begins_as_picture(start: bytes) -> bool:
    """Whether these are the first bytes of a picture in a format that is read."""
    if start.startswith((b"RIFF", b"BM")):
        return start[8:12] == b"WEBP" if start[:1] == b"R" else start[6:10] == bytes(4)
    return start.startswith(_BEGINNINGS) or _PORTABLE.match(start) is not None


def kind_of(start: bytes, name: str = "") -> str:
    """A message that says what a file with these first bytes is, and what to do; "" if it may be a picture."""
    if _PAGE.match(start):
        return "a web page, such as an error or a login in place of the file: get the file again"
    for beginning, (what, mend) in _KINDS.items():
        if start.startswith(beginning):
            return f"{what}: {mend}"
    return "" if begins_as_picture(start) else _NAMED.get(_suffix(name), "")


def start_of(path: Path) -> bytes:
    """The first bytes of a file. Raises OSError."""
    with path.open("rb") as file:
        return file.read(START)


def without_pictures(names: Iterable[str]) -> str:
    """A message that says what a place without pictures holds instead, and what to do; "" if it is empty."""
    names = list(names)
    counts = Counter(_suffix(name) for name in names)
    for suffix, _ in counts.most_common():
        if suffix in _FOLDERS:
            what, mend = _FOLDERS[suffix]
            listed = few([name for name in names if _suffix(name) == suffix], 3)
            return f"no picture was found, only {what} ({listed}), which are not read as a set: {mend}"
    if not names:
        return ""
    return f"no picture was found among {counted(len(names), 'file')} ({suffixes(names)})"


def suffixes(names: Iterable[str]) -> str:
    """The extensions of files, or the names of files without one, as a short list."""
    return few(sorted({_suffix(name) or PurePosixPath(name).name for name in names}), _SHOWN)


def few(words: Sequence[str], shown: int) -> str:
    """The first `shown` words of a list, and the number of the others."""
    more = f" and {len(words) - shown:,} more" if len(words) > shown else ""
    return ", ".join(words[:shown]) + more


def counted(number: int, noun: str) -> str:
    """A number with its noun, "1 file" or "2 files"; for nouns whose plural ends in s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _suffix(name: str) -> str:
    return PurePosixPath(name.lower()).suffix
