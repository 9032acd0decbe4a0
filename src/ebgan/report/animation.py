"""Pictures one after the other as an animated GIF: those of a run, or any."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ebgan.runfolder import RunFolder, write_atomically

_FRAMES = 60  # at most, spread evenly over the run
_MILLISECONDS = 150  # a frame
_REST = 1500  # milliseconds on the last
_COLORS = 64


def write_animation(folder: RunFolder) -> None:
    """Write animation.gif of a run's pictures, oldest first; nothing if there are fewer than two.

    Raises StorageError where the disk refuses.
    """
    grids = folder.grids()
    step = max(1.0, (len(grids) - 1) / (_FRAMES - 1))
    places = [round(place * step) for place in range(min(_FRAMES, len(grids)))]
    if len(places) < 2:
        return
    frames = []
    for place in places:
        with Image.open(grids[place][1]) as image:
            frames.append(image.convert("RGB"))
    save_gif(frames, folder.animation)


def save_gif(pictures: Sequence[Image.Image], path: Path, milliseconds: int = _MILLISECONDS) -> None:
    """Write pictures of one size as an endless animation, which rests on the last; whole or not at all.

    Raises StorageError where the disk refuses.
    """
    frames = [picture.convert("RGB").quantize(_COLORS, dither=Image.Dither.NONE) for picture in pictures]
    times = [milliseconds] * (len(frames) - 1) + [_REST]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
    write_atomically(path, buffer.getvalue())
