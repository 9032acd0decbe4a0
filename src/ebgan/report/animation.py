"""Pictures one after the other as an animated GIF: those of a run, or any."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ebgan.storage.files import write_atomically
from ebgan.storage.runfolder import RunFolder

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
    indices = [round(index * step) for index in range(min(_FRAMES, len(grids)))]
    if len(indices) < 2:
        return
    frames = []
    for index in indices:
        with Image.open(grids[index][1]) as image:
            frames.append(image.convert("RGB"))
    save_gif(frames, folder.animation, [_MILLISECONDS] * (len(frames) - 1) + [_REST], _COLORS)


def save_gif(frames: Sequence[Image.Image], path: Path, times: int | list[int] = 80, colors: int = 256) -> None:
    """Write pictures of one size as a GIF without end, each shown for so many milliseconds (of all, or of each).

    Whole or not at all. Raises StorageError where the disk refuses.
    """
    first, *others = [frame.convert("RGB").quantize(colors, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=times, loop=0)
    write_atomically(path, buffer.getvalue())
