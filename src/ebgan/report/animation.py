"""Write animated GIFs, of a run's energy landscapes or of any pictures."""

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

_FRAMES = 60  # most frames, evenly spaced over the run
_MILLISECONDS = 150  # per frame
_REST = 1500  # milliseconds of the last frame
_COLORS = 64


def save_landscape(seen: Landscape, folder: RunFolder, images: int) -> None:
    """Write a landscape of a run after `images` seen as a picture, and its arrays for the animation.

    Raises StorageError if it cannot be written.
    """
    save_png(landscape(seen), folder.grid(images))
    arrays = io.BytesIO()
    np.savez_compressed(arrays, **{name: array.astype(np.float32) for name, array in seen._asdict().items()})
    write_atomically(folder.landscape(images), arrays.getvalue())


def write_animation(folder: RunFolder) -> None:
    """Write animation.gif of a run's landscapes on one scale, oldest first; nothing for fewer than two.

    Raises StorageError if it cannot be written.
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
    """The landscape in a file; None if the file is damaged or not a landscape."""
    content = read_file(path) or b""
    try:
        with np.load(io.BytesIO(content)) as arrays:
            seen = Landscape(**arrays)
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    return seen if np.isfinite(seen.energy).all() else None


def save_gif(frames: Sequence[Image.Image], path: Path, times: int | list[int] = 80, colors: int = 256) -> None:
    """Write pictures of one size atomically as a looping GIF; `times` are milliseconds for all frames, or for each.

    Raises StorageError if it cannot be written.
    """
    first, *others = [frame.convert("RGB").quantize(colors, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=times, loop=0)
    write_atomically(path, buffer.getvalue())
