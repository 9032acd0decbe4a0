"""Detect damage in a PNG that Pillow accepts: pixel data with a wrong checksum, and missing rows.

Pillow ignores the checksums of pixel data, and leaves rows black if the data ends too soon.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # colour type -> channels
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # Adam7
_PIECE = 1 << 20


def check_sums(content: bytes) -> None:
    """Raise ValueError if the checksum of any chunk is wrong."""
    for kind, data, expected in _chunks(content):
        if zlib.crc32(data, zlib.crc32(kind)) != expected:
            raise ValueError(f"damaged: the checksum of a part ({kind.decode('ascii', 'replace')}) differs")


def interlaced(content: bytes) -> bool:
    """Whether the rows are interlaced (Adam7)."""
    return content[28:29] == b"\x01"


def check_rows(content: bytes) -> None:
    """Raise ValueError for a file whose pixel data ends before its last row."""
    width, height, bits, colour = struct.unpack(">IIBB", content[16:26])
    length = _inflated(data for kind, data, _ in _chunks(content) if kind == b"IDAT")
    depth = bits * _CHANNELS[colour]
    if not interlaced(content):
        row = 1 + -(-width * depth // 8)
        if length < row * height:
            raise ValueError(f"damaged: its pixels stop after {length // row:,} of {height:,} rows")
        return
    parts = ((-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in _PASSES)
    if length < sum(rows * (1 + -(-columns * depth // 8)) for columns, rows in parts if columns > 0 and rows > 0):
        raise ValueError("damaged: its pixels stop before the last row")


def _chunks(content: bytes) -> Iterator[tuple[bytes, memoryview, int]]:
    """Kind, data and checksum of each complete chunk."""
    view, index = memoryview(content), len(SIGNATURE)
    while index + 12 <= len(view):
        length, kind = struct.unpack(">I4s", view[index : index + 8])
        end = index + 12 + length
        if end > len(view):
            return
        yield kind, view[index + 8 : end - 4], int.from_bytes(view[end - 4 : end])
        if kind == b"IEND":
            return
        index = end


def _inflated(pieces: Iterator[memoryview]) -> int:
    """The number of bytes that a stream decompresses to, without storing them."""
    inflate, count = zlib.decompressobj(), 0
    for piece in pieces:
        left: bytes | memoryview = piece
        while left and not inflate.eof:
            count += len(inflate.decompress(left, _PIECE))
            left = inflate.unconsumed_tail
    return count
