"""Decode a picture file to uint8 pixels: upright, 8 bits per channel, transparency on black, optionally resized."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from ebgan.data import png
from ebgan.errors import UsageError

# Formats that Pillow decodes without starting another program, as it does for EPS.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
_GREY = ("1", "L", "LA", "La")
_DEEP = ("I", "I;16", "I;16L", "I;16B", "I;16N")
DEEPEST = 65_535  # the highest level of 16 bits
_PIXELS = 89_478_485  # most pixels, 256 MiB of RGB: a small file can claim more than memory holds


class Picture(NamedTuple):
    """A picture's pixels."""

    pixels: NDArray[np.uint8]  # [H, W, 3]
    grey: bool  # whether the file is grey
    deepest: int  # the highest level of a 16-bit picture, 0 for others


def decode_picture(
    file: Path | BinaryIO, size: int | None, crop: int | None = None, white: int | None = None
) -> Picture:
    """Decode a picture to uint8 [H, W, 3].

    The EXIF orientation is applied, transparent pixels are composed over black, and only the first picture of an
    animation is taken. 16-bit levels are scaled to 8 bits: `white` (65,535 by default) and higher levels become 255.
    With `crop`, the centred square of that side is cut out first. With `size`, the largest centred square is resized to
    it (Lanczos).
    Raises whatever Pillow raises for a bad file, and ValueError for a PNG with wrong checksums or missing rows.
    """
    content = _content_of_png(file)
    with Image.open(file if content is None else io.BytesIO(content), formats=_FORMATS) as opened:
        if math.prod(opened.size) > _PIXELS:
            raise ValueError(f"{opened.width} x {opened.height} pixels are more than the {_PIXELS:,} allowed")
        if size is not None and crop is None:
            opened.draft(None, (2 * size, 2 * size))  # JPEG only: decode faster, at a reduced size of at least this
        colours_deep = _colours_deep(opened)
        if content is not None:
            _check_whole(opened, content)
        upright = ImageOps.exif_transpose(opened)
    grey, deepest = upright.mode in _GREY + _DEEP, 0
    if upright.mode in _DEEP:
        upright, deepest = _shallow(upright, white)
    elif colours_deep:
        deepest = 256 * int(np.asarray(upright)[..., :3].max()) + 255
        upright = upright if white is None else _brightened(upright, content, white)
    image = _colour(_centre(upright, crop) if crop is not None else upright)
    if size is not None:
        image = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    return Picture(np.asarray(image), grey, deepest)


def check_white(white: int | None) -> None:
    """Raise UsageError for a white level that does not fit in 16 bits."""
    if white is not None and not 1 <= white <= DEEPEST:
        raise UsageError(f"white={white}: expected a level of 16-bit pictures, from 1 to {DEEPEST}")


def said_of_depth(deepest: int, white: int | None) -> tuple[str, ...]:
    """Notes for the user on the white level, given the highest level of the 16-bit pictures (0 if there are none)."""
    if white is not None and not deepest:
        return (f"data.white={white} changes nothing: no picture has 16 bits",)
    if white is None and 0 < deepest <= DEEPEST // 4:
        fitting = 2 ** max(8, deepest.bit_length()) - 1
        return (
            f"levels of the 16-bit pictures reach only {deepest:,} of {DEEPEST:,}, so all images are dark: "
            f"--data.white {fitting} makes {fitting:,} white",
        )
    return ()


def channels_first(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Pixels [H, W, 3] as [channels, H, W]; one channel is ITU-R 601 luma, like Pillow's conversion."""
    if channels == 3:
        return pixels.transpose(2, 0, 1)
    luma = np.rint(pixels @ np.array([0.299, 0.587, 0.114], np.float32))
    return luma.astype(np.uint8)[None]


def _centre(image: Image.Image, crop: int) -> Image.Image:
    if min(image.size) < crop:
        raise ValueError(f"{image.width} x {image.height} pixels are fewer than the crop of {crop}")
    left, top = (image.width - crop) // 2, (image.height - crop) // 2
    return image.crop((left, top, left + crop, top + crop))


def _colour(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("a picture of floating-point numbers, whose range is unknown")
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _content_of_png(file: Path | BinaryIO) -> bytes | None:
    """The bytes of a PNG; None for another format. Raises ValueError if a checksum is wrong."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            start = opened.read(len(png.SIGNATURE))
            content = start + opened.read() if start == png.SIGNATURE else None
    else:
        start = file.read(len(png.SIGNATURE))
        content = start + file.read() if start == png.SIGNATURE else None
        file.seek(0)
    if content is not None:
        png.check_sums(content)
    return content


def _check_whole(opened: Image.Image, content: bytes) -> None:
    """Raise ValueError for a PNG with missing rows. Pillow leaves these 0, so only pictures ending in 0 are checked."""
    opened.load()
    last = np.any(opened.getpixel((opened.width - 1, opened.height - 1)))  # usually not black: nothing is missing
    if png.interlaced(content) or not (last or _last_row(opened).any()):
        png.check_rows(content)


def _last_row(image: Image.Image) -> NDArray[Any]:
    return np.asarray(image.crop((0, image.height - 1, image.width, image.height)))


def _shallow(image: Image.Image, white: int | None) -> tuple[Image.Image, int]:
    """A 16-bit grey picture scaled to 8 bits, and its highest level; Pillow's own conversion would clip at 255."""
    deep = np.asarray(image).astype(np.int64)
    if deep.min() < 0 or deep.max() > DEEPEST:
        raise ValueError("grey levels outside 16 bits")
    return Image.fromarray(_scaled(deep, white)), int(deep.max())


def _scaled(deep: NDArray[np.int64], white: int | None) -> NDArray[np.uint8]:
    return np.rint(deep.clip(0, white or DEEPEST) * (255 / (white or DEEPEST))).astype(np.uint8)


def _colours_deep(image: ImageFile.ImageFile) -> bool:
    """Whether a file has 16 bits per colour channel, of which Pillow keeps only the upper eight."""
    return image.mode in ("RGB", "RGBA") and any(";16" in str(tile.args) for tile in image.tile)


def _brightened(upper: Image.Image, content: bytes | None, white: int) -> Image.Image:
    """Scale a picture with 16 bits per colour by `white`, from the upper eight bits and the PNG file's content."""
    if content is None:
        raise ValueError("data.white does not work for 16-bit colour in this format: convert it to PNG")
    rawmode = f"{upper.mode};16"
    with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
        if any(tile.args != f"{rawmode}B" for tile in opened.tile):
            raise ValueError("data.white does not work for 16-bit grey with alpha: convert it")
        opened.tile = [tile._replace(args=f"{rawmode}L") for tile in opened.tile]
        lower = ImageOps.exif_transpose(opened)
    levels = 256 * np.asarray(upper).astype(np.int64) + np.asarray(lower)
    bright = _scaled(levels, white)
    bright[..., 3:] = np.asarray(upper)[..., 3:]
    return Image.fromarray(bright)
