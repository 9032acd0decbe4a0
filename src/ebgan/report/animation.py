"""Pictures one after the other as an animated GIF: the landscapes of a run, or any."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ebgan.report.images import save_png
from ebgan.report.landscape import Landscape, landscape
from ebgan.storage.files import read_file, write_atomically
from ebgan.storage.runfolder import RunFolder

_FRAMES = 60  # at most, spread evenly over the run
_MILLISECONDS = 150  # a frame
_REST = 1500  # milliseconds on the last
_COLORS = 64


def save_landscape(seen: Landscape, folder: RunFolder, images: int) -> None:
    """Write a landscape of a run after `images` seen as a picture, and its arrays for the animation.

    Raises StorageError where the disk refuses.
    """
    save_png(landscape(seen), folder.grid(images))
    arrays = io.BytesIO()
    np.savez_compressed(arrays, **{name: array.astype(np.float32) for name, array in seen._asdict().items()})
    write_atomically(folder.landscape(images), arrays.getvalue())


def write_animation(folder: RunFolder) -> None:
    """Write animation.gif of a run's landscapes on one scale, oldest first; nothing if there are fewer than two.

    Raises StorageError where the disk refuses.
    """
    paths = folder.landscapes()
    step = max(1.0, (len(paths) - 1) / (_FRAMES - 1))
    read = [_read(paths[round(index * step)]) for index in range(min(_FRAMES, len(paths)))]
    found = [seen for seen in read if seen is not None]
    if len(found) < 2:
        return
    heights = (min(float(seen.energy.min()) for seen in found), max(float(seen.energy.max()) for seen in found))
    frames = [landscape(seen, heights) for seen in found]
    save_gif(frames, folder.animation, [_MILLISECONDS] * (len(frames) - 1) + [_REST], _COLORS)


def _read(path: Path) -> Landscape | None:
    """The landscape in a file; None where the file is damaged or holds something else."""
    content = read_file(path) or b""
    try:
        with np.load(io.BytesIO(content)) as arrays:
            seen = Landscape(**arrays)
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    return seen if np.isfinite(seen.energy).all() else None


def save_gif(frames: Sequence[Image.Image], path: Path, times: int | list[int] = 80, colors: int = 256) -> None:
    """Write pictures of one size as a GIF without end, each shown for so many milliseconds (of all, or of each).

    Whole or not at all. Raises StorageError where the disk refuses.
    """
    first, *others = [frame.convert("RGB").quantize(colors, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=times, loop=0)
    write_atomically(path, buffer.getvalue())
