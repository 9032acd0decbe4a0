"""One picture file, turned into pixels: upright, eight bits a channel, on black, square if a size is wanted."""

from __future__ import annotations

import math
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

# Formats that Pillow decodes by itself; EPS, for one, would start another program.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
_GREY = ("1", "L", "LA", "La")
_DEEP = ("I", "I;16", "I;16L", "I;16B", "I;16N")
_PIXELS = 89_478_485  # 256 MiB of RGB; a small file can claim far more than memory holds


def decode_picture(file: Path | BinaryIO, size: int | None, crop: int | None = None) -> tuple[NDArray[np.uint8], bool]:
    """The pixels [H, W, 3] of a picture, and whether the file is grey.

    The EXIF orientation is applied, transparent pixels are laid over black, 16-bit grey is scaled to 8 bits and the
    first picture of an animation is taken. With a crop, the centred square of so many pixels is cut out first. With a
    size, the largest centred square is cut out and resized (Lanczos), which is the shorter side resized to `size` and
    the centre cropped. Raises whatever Pillow raises on a bad file.
    """
    with Image.open(file, formats=_FORMATS) as opened:
        if math.prod(opened.size) > _PIXELS:
            raise ValueError(f"{opened.width} x {opened.height} pixels are more than the {_PIXELS:,} allowed")
        if size is not None and crop is None:
            opened.draft(None, (2 * size, 2 * size))  # JPEG alone: decodes at a fraction of the size, still ample
        upright = ImageOps.exif_transpose(opened)
        grey = upright.mode in _GREY + _DEEP
        image = _colour(_centre(upright, crop) if crop is not None else upright)
    if size is not None:
        image = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    return np.asarray(image), grey


def channels_first(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Pixels [H, W, 3] as [channels, H, W]; grey is luma by ITU-R 601, as Pillow's conversion."""
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
    if image.mode in _DEEP:
        return _shallow(image).convert("RGB")
    if image.mode == "F":
        raise ValueError("a picture of floating-point numbers, whose range is unknown")
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _shallow(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit grey; Pillow's own conversion clips at 255."""
    deep = np.asarray(image).astype(np.int64)
    if deep.min() < 0 or deep.max() > 65535:
        raise ValueError("grey levels outside 16 bits")
    return Image.fromarray(np.rint(deep * (255 / 65535)).astype(np.uint8))
