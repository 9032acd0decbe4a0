"""Pictures side by side, each under its title."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

_MARGIN, _TEXT = 12, 22  # pixels between pictures, and of a title's letters


def gallery(pictures: Sequence[tuple[str, Image.Image]], columns: int) -> Image.Image:
    """One picture of (title, picture) pairs, row by row; cells are as large as the largest picture.

    Raises ValueError where there is none.
    """
    if not pictures:
        raise ValueError("a gallery is made of one picture or more")
    width = max(picture.width for _, picture in pictures) + _MARGIN
    height = max(picture.height for _, picture in pictures) + 2 * _TEXT
    columns = min(columns, len(pictures))
    canvas = Image.new("RGB", (columns * width + _MARGIN, math.ceil(len(pictures) / columns) * height), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(_TEXT)
    for place, (title, picture) in enumerate(pictures):
        left, top = place % columns * width + _MARGIN, place // columns * height
        draw.text((left, top + _TEXT // 4), title, "black", font)
        canvas.paste(picture, (left, top + 3 * _TEXT // 2))
    return canvas
