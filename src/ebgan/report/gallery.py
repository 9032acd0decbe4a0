"""Combine pictures with titles into one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

_MARGIN, _TEXT = 12, 22  # pixels between pictures, and of a title's letters
_LEAST = 9  # smallest font size in pixels, for words wider than their picture
_LINE = _TEXT + 2


def gallery(pictures: Sequence[tuple[str, Image.Image]], columns: int, caption: str = "") -> Image.Image:
    """One picture of (title, picture) pairs, row by row; cells are as large as the largest picture.

    Titles wider than a cell are broken into lines; the caption is drawn at the top. Raises ValueError without pictures.
    """
    if not pictures:
        raise ValueError("a gallery needs one picture or more")
    columns = min(columns, len(pictures))
    widest = max(picture.width for _, picture in pictures)
    font = _font([title for title, _ in pictures], widest)
    titles = [broken(title, widest, font) for title, _ in pictures]
    whole = columns * (widest + _MARGIN) + _MARGIN
    head = broken(caption, whole - 2 * _MARGIN, _font([caption], whole - 2 * _MARGIN))
    top = len(head) * _LINE + _MARGIN if caption else 0
    text = max(map(len, titles)) * _LINE + _TEXT // 2 - 2
    height = max(picture.height for _, picture in pictures) + text + _TEXT // 2
    canvas = Image.new("RGB", (whole, top + math.ceil(len(pictures) / columns) * height), "white")
    draw = ImageDraw.Draw(canvas)
    _write(draw, head, (_MARGIN, _MARGIN // 2), _font([caption], whole - 2 * _MARGIN))
    for index, (title, (_, picture)) in enumerate(zip(titles, pictures, strict=True)):
        left, upper = index % columns * (widest + _MARGIN) + _MARGIN, top + index // columns * height
        _write(draw, title, (left, upper + _TEXT // 4), font)
        canvas.paste(picture, (left, upper + text))
    return canvas


_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def broken(text: str, width: int, font: _Font) -> list[str]:
    """Break a text between words into lines of at most `width` pixels."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines or [""]


def _font(texts: Sequence[str], width: int) -> _Font:
    """A font small enough that no word is wider than `width` pixels, but not smaller than `_LEAST`."""
    font = ImageFont.load_default(_TEXT)
    longest = max((font.getlength(word) for text in texts for word in text.split()), default=0.0)
    return font if longest <= width else ImageFont.load_default(max(int(_TEXT * width / longest), _LEAST))


def _write(draw: ImageDraw.ImageDraw, lines: list[str], at: tuple[int, int], font: _Font) -> None:
    for index, line in enumerate(lines):
        draw.text((at[0], at[1] + index * _LINE), line, "black", font)
