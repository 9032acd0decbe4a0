"""Write pictures as an animated GIF."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ebgan.runfolder import RunFolder
from ebgan.storage.files import write_atomically

_FRAMES = 60  # at most, spread evenly over the run
_MILLISECONDS = 150  # a frame
_REST = 1500  # milliseconds on the last
_COLORS = 64


def write_animation(folder: RunFolder) -> None:
    """Write animation.gif of a run's pictures, oldest first; nothing if there are fewer than two.

    Raises StorageError if it cannot be written.
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
    """Write pictures of one size atomically as a looping GIF; `times` are milliseconds for all frames, or for each.

    Raises StorageError if it cannot be written.
    """
    first, *others = [frame.convert("RGB").quantize(colors, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=times, loop=0)
    write_atomically(path, buffer.getvalue())
