"""Grids of images: many small pictures as one, enlarged so that they can be judged by eye."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ebgan.runfolder import write_atomically

if TYPE_CHECKING:  # a report is written without loading torch
    from torch import Tensor

Pixels = NDArray[np.uint8]

_NOT_A_NUMBER = (255, 0, 255)  # magenta: no picture of ours holds it by chance
_BORDER = 112  # sets the black rim of a digit apart, and the white one of its negative
_CELL = 48  # a cell's side in pixels below which images are enlarged


def grid(
    images: Tensor | NDArray[Any], columns: int | None = None, *, border: int = 2, scale: int | None = None
) -> Image.Image:
    """One picture of all images, row by row, with a border between them.

    images: [N, C, H, W] with C 1 (grey) or 3 (RGB), uint8 or floats in [-1, 1]; values outside are clipped, and a
        pixel that is not a number comes out magenta (the picture is then RGB).
    columns: by default as many as make the grid square.
    scale: whole number by which every pixel is enlarged; by default a cell is about 48 pixels, large images stay.
    Raises ValueError where the shape or the type is another.
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
    """Pictures of one height in a row, with a white gap of so many pixels."""
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) - 1)
    row = Image.new(pictures[0].mode, (width, pictures[0].height), "white")
    left = 0
    for picture in pictures:
        row.paste(picture, (left, 0))
        left += picture.width + gap
    return row


def save_png(image: Image.Image, path: Path) -> None:
    """Write a picture as PNG, whole or not at all. Raises StorageError where the disk refuses."""
    write_atomically(path, png(image))


def png(image: Image.Image) -> bytes:
    """A picture as a PNG file holds it."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _array(images: Tensor | NDArray[Any]) -> NDArray[Any]:
    """The images as an array on the host, with bfloat16 (which NumPy lacks) as float32."""
    if not isinstance(images, np.ndarray):
        host = images.detach().cpu()
        images = (host.float() if host.is_floating_point() else host).numpy()
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise ValueError(f"a grid is made of images [N, 1 or 3, H, W], at least one; these are {list(images.shape)}")
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"a grid is made of uint8 images or of floats in [-1, 1]; these are {images.dtype}")
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
