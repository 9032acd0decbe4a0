import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from ebgan.data import open_data
from ebgan.errors import DataError

PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(kind: bytes, content: bytes, damage: int = 0) -> bytes:
    sum_ = zlib.crc32(kind + content) ^ damage
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", sum_)


def png(
    rows: bytes, bits: int = 8, colour: int = 2, size: int = 40, laced: int = 0, extra: bytes = b"", damage: int = 0
) -> bytes:
    header = struct.pack(">IIBBBBB", size, size, bits, colour, 0, 0, laced)
    data = chunk(b"IDAT", zlib.compress(rows), damage)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + data + chunk(b"IEND", b"")


def row(length: int) -> bytes:
    return b"\0" + bytes(range(1, length + 1))


PALETTE = bytes(range(126))
SHADES = np.random.default_rng(0).integers(1, 255, (8, 8), dtype=np.uint8)
LACED = b"".join(
    b"\0" + SHADES[y, x::dx].tobytes() for x, top, dx, dy in PASSES for y in range(top, 8, dy) if len(SHADES[y, x::dx])
)


@pytest.mark.parametrize(
    "content",
    [
        png(row(120) * 40),
        png(bytes(121 * 40)),
        png(row(120) * 10 + bytes(121 * 30)),
        png(row(5) * 40, bits=1, colour=0),
        png(row(40) * 40, colour=3, extra=chunk(b"PLTE", PALETTE)),
        png(LACED, colour=0, size=8, laced=1),
        png(row(120) * 40) + b"what follows",
    ],
)
def test_whole_files_are_read_though_their_last_rows_be_black(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert len(open_data(tmp_path / "a.png")) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (png(row(120) * 10), "its pixels stop after 10 of 40 rows"),
        (png(row(5) * 10, bits=1, colour=0), "its pixels stop after 10 of 40 rows"),
        (png(row(40) * 39, colour=3, extra=chunk(b"PLTE", PALETTE)), "its pixels stop after 39 of 40 rows"),
        (png(row(160) * 10, colour=6), "its pixels stop after 10 of 40 rows"),
        (png(row(80) * 10, bits=16, colour=0), "its pixels stop after 10 of 40 rows"),
        (png(LACED[:-9], colour=0, size=8, laced=1), "its pixels stop before the last row"),
        (png(row(120) * 10 + row(60)), "truncated"),
        (png(row(120) * 40, damage=1), r"the checksum of a part \(IDAT\) differs"),
        (png(row(40) * 40, colour=3, extra=chunk(b"PLTE", PALETTE, 1)), r"the checksum of a part \(PLTE\) differs"),
        (png(row(120) * 40, extra=chunk(b"tEXt", b"a\0b", 1)), r"the checksum of a part \(tEXt\) differs"),
    ],
)
def test_damage_that_pillow_passes_over_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.png: could not be decoded: .*{said}"):
        open_data(tmp_path / "a.png")


def deep(highest: int, channels: int) -> bytes:
    """Levels of 16 bits from 0 to a highest one, 8 x 8."""
    levels = np.linspace(0, highest, 64).astype(">u2").reshape(8, 8, 1).repeat(channels, -1)
    levels[..., 3:] = 65535
    rows = b"".join(b"\0" + line.tobytes() for line in levels)
    return png(rows, 16, {1: 0, 3: 2, 4: 6}[channels], 8)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_white_point_brings_out_levels_of_12_bits(tmp_path: Path, channels: int) -> None:
    (tmp_path / "a.png").write_bytes(deep(4095, channels))
    dark, bright = open_data(tmp_path, size=8), open_data(tmp_path, size=8, white=4095)
    assert dark.images.max() <= 16
    assert (
        "levels of the 16-bit pictures reach only 4,095 of 65,535, so all images are dark: --data.white 4095"
        in (dark.notes[-1])
    )
    expected = np.rint(np.linspace(0, 4095, 64).astype(int) * 255 / 4095).reshape(8, 8)
    np.testing.assert_array_equal(bright.images[0, 0], expected)
    assert not any("16-bit" in note for note in bright.notes)


@pytest.mark.parametrize(
    ("highest", "said"), [(255, "255"), (1023, "1023"), (16383, "16383"), (16384, ""), (65535, "")]
)
def test_a_white_point_is_named_where_levels_stop_below_a_quarter(tmp_path: Path, highest: int, said: str) -> None:
    (tmp_path / "a.png").write_bytes(deep(highest, 1))
    notes = " ".join(open_data(tmp_path, size=8).notes)
    assert (f"--data.white {said} " in notes) if said else ("16-bit" not in notes)


def test_levels_above_white_are_white_and_a_white_point_without_effect_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(deep(9000, 1))
    assert open_data(tmp_path, size=8, white=4095).images.max() == 255
    (tmp_path / "a.png").write_bytes(png(row(120) * 40))
    assert "data.white=4095 changes nothing: no picture has 16 bits" in open_data(tmp_path, size=8, white=4095).notes
    (tmp_path / "a.png").write_bytes(png(row(160) * 40, bits=16, colour=4))
    with pytest.raises(DataError, match=r"data\.white does not work for 16-bit grey with alpha"):
        open_data(tmp_path, size=8, white=4095)
    with pytest.raises(ValueError, match="expected a level of 16-bit pictures, from 1 to 65535"):
        open_data(tmp_path, size=8, white=0)
