"""How pictures are cropped, resized and converted to images of one shape."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from ebgan.data.packed import Packed
from ebgan.data.picture import channels_first, check_white
from ebgan.errors import DataError, UsageError, check_least


@dataclass(frozen=True, kw_only=True)
class Framing:
    """The shape of images made from pictures. Raises UsageError for values out of range."""

    size: int  # height and width of the images
    crop: int | None = None  # side of the centred square that is cut out before resizing; None is the largest
    channels: int = 3  # 1 grey, 3 colour
    white: int | None = None  # the level of 16-bit pictures that becomes white, 65,535 by default

    def __post_init__(self) -> None:
        check_least("", 1, size=self.size, crop=self.crop)
        check_white(self.white)
        if self.channels not in (1, 3):
            raise UsageError(f"channels={self.channels}: expected 1 (grey) or 3 (colour)")


def framed(arrays: Packed, framing: Framing) -> Packed:
    """Crop and resize images that already have one shape, like pictures. Raises DataError if the crop is too large."""
    _, height, width = arrays.shape
    if framing.crop is not None and framing.crop > min(height, width):
        raise DataError(f"{arrays.name}: images are {height} x {width}, smaller than the crop of {framing.crop}")
    cut = arrays.centred(framing.crop or min(height, width))
    images = np.empty((len(cut), framing.channels, framing.size, framing.size), np.uint8)
    for image, out in zip(cut.images, images, strict=True):
        colour = np.broadcast_to(image, (3, *image.shape[1:])).transpose(1, 2, 0)
        if framing.size != cut.shape[1]:
            sized = Image.fromarray(np.ascontiguousarray(colour)).resize((framing.size,) * 2, Image.Resampling.LANCZOS)
            colour = np.asarray(sized)
        out[:] = channels_first(colour, framing.channels)
    return replace(arrays, images=images, path=None)
