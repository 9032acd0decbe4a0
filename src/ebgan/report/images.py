"""Combine many images into one enlarged grid."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ebgan.storage.files import write_atomically

if TYPE_CHECKING:  # a report is written without loading torch
    from torch import Tensor

Pixels = NDArray[np.uint8]

_NOT_A_NUMBER = (255, 0, 255)  # magenta, which hardly occurs in images
_BORDER = 112  # grey, different from black and from white backgrounds
_CELL = 48  # smaller images are enlarged to about this many pixels


def grid(
    images: Tensor | NDArray[Any], columns: int | None = None, *, border: int = 2, scale: int | None = None
) -> Image.Image:
    """One picture of all images, row by row, with a border between them.

    images: [N, C, H, W] with C 1 (grey) or 3 (RGB), uint8 or floats in [-1, 1]; values outside are clipped, and NaN
        pixels are drawn magenta (the picture is then RGB).
    columns: by default the grid is about square.
    scale: integer factor of enlargement; by default small images are enlarged to about 48 pixels.
    Raises ValueError for another shape or type.
    """
    pixels = _pixels(_array(images))
    count, height, width, channels = pixels.shape
    columns = min(count, columns or math.ceil(math.sqrt(count)))
    scale = scale or max(1, round(_CELL / max(height, width)))
    cells = pixels.repeat(scale, axis=1).repeat(scale, axis=2)
    pitch_y, pitch_x = height * scale + border, width * scale + border
    rows = math.ceil(count / columns)
    canvas = np.full((rows * pitch_y - border, columns * pitch_x - border, channels), _BORDER, np.uint8)
    for index, cell in enumerate(cells):
        top, left = index // columns * pitch_y, index % columns * pitch_x
        canvas[top : top + height * scale, left : left + width * scale] = cell
    return Image.fromarray(canvas.squeeze(-1) if channels == 1 else canvas)


def beside(*pictures: Image.Image, gap: int = 12) -> Image.Image:
    """Pictures of one height in a row, with a white gap of `gap` pixels."""
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) - 1)
    row = Image.new(pictures[0].mode, (width, pictures[0].height), "white")
    left = 0
    for picture in pictures:
        row.paste(picture, (left, 0))
        left += picture.width + gap
    return row


def save_png(image: Image.Image, path: Path) -> None:
    """Write a picture atomically as PNG. Raises StorageError if it cannot be written."""
    write_atomically(path, png(image))


def png(image: Image.Image) -> bytes:
    """The bytes of a picture as a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _array(images: Tensor | NDArray[Any]) -> NDArray[Any]:
    """The images as an array on the host, with bfloat16 (which NumPy lacks) as float32."""
    if not isinstance(images, np.ndarray):
        host = images.detach().cpu()
        images = (host.float() if host.is_floating_point() else host).numpy()
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise ValueError(f"grid: images are {list(images.shape)}; expected [N, 1 or 3, H, W], N at least 1")
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"grid: images are {images.dtype}; expected uint8, or floats in [-1, 1]")
    return images


def _pixels(images: NDArray[Any]) -> Pixels:
    """Images [N, C, H, W] as pixels [N, H, W, C]."""
    images = images.transpose(0, 2, 3, 1)
    if images.dtype == np.uint8:
        return images
    lost = np.isnan(images).any(-1)
    pixels: Pixels = np.rint((np.nan_to_num(images, nan=0.0).clip(-1, 1) + 1) * 127.5).astype(np.uint8)
    if lost.any():
        pixels = np.broadcast_to(pixels, (*pixels.shape[:3], 3)).copy()
        pixels[lost] = _NOT_A_NUMBER
    return pixels
