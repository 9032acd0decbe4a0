"""Convert tensors, arrays and Pillow pictures given by the user to one tensor of a known shape and range.

The expected shape [C, H, W] is known, so the layout is recognised, not guessed. uint8 is scaled to [-1, 1]; for floats
`limits` states the values of black and white.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from ebgan.data.loader import scaled
from ebgan.data.packed import Packed
from ebgan.data.picture import channels_first, decode_picture
from ebgan.errors import UsageError

Given = Tensor | NDArray[Any] | Image.Image | Packed | Sequence[Tensor | NDArray[Any] | Image.Image]
Limits = tuple[float, float]

SLACK = 1e-4  # tolerance for rounding: how far values may exceed the limits, as a share of their difference
_IN_PNG = ("1", "L", "LA", "I;16", "P", "RGB", "RGBA")  # Pillow modes that a PNG can store


@dataclass(frozen=True, kw_only=True)
class ImageReader:
    """Converts images to the one shape that a net takes."""

    shape: tuple[int, int, int]  # C, H, W
    points: bool = False  # whether these are points of a toy density, which are not scaled
    size: int | None = None  # pictures are cropped to a square and resized to this; None refuses other sizes
    padding: int = 0  # black pixels added on each side after resizing
    crop: int | None = None  # side of the centred square that is cut out last
    white: int | None = None  # the level of 16-bit pictures that is white; None is 65,535

    def __call__(self, given: Given, limits: Limits = (-1.0, 1.0)) -> Tensor:
        """Images as float32 [count, C, H, W] in [-1, 1]; a single image is a batch of one.

        Raises UsageError, which says how to convert them, for another shape or type, NaN or infinite numbers, and
        floats beyond `limits`.
        """
        low, high = limits
        if not low < high:
            raise UsageError(f"limits={limits}: expected two numbers, black and white, black below white")
        if isinstance(given, Packed):
            given = given.images
        if isinstance(given, list | tuple):
            return torch.cat([torch.empty(0, *self.shape), *(self(each, limits).cpu() for each in given)])
        if isinstance(given, Image.Image):
            return scaled(self._sized(given), (-1.0, 1.0))
        images = as_tensor(given)
        if images.dtype == torch.uint8 and not self.points:
            return scaled(self._bytes(images), (-1.0, 1.0))
        if not images.is_floating_point():
            raise UsageError(f"images are {_kind(images)}; {self._expected}: {convert_integers(images)}")
        placed = self._placed(images)
        if placed is None:
            raise UsageError(f"images are {list(images.shape)}; expected {self._shapes(images)}")
        return self._checked(placed, limits)

    def _checked(self, images: Tensor, limits: Limits) -> Tensor:
        if not images.isfinite().all():
            raise UsageError("images hold numbers that are not finite (NaN or infinite): leave these images out")
        if self.points or not images.numel():
            return images.to(torch.float32)
        (low, high), (least, most) = limits, (float(images.min()), float(images.max()))
        slack = SLACK * (high - low)
        if least < low - slack or most > high + slack:
            raise UsageError(
                f"images are from {least:g} to {most:g}; {self._expected}: {convert_floats(least, most, 'limits')}"
            )
        if limits == (-1.0, 1.0) and 0 <= least < most:
            warnings.warn(
                f"no value of the images is below 0 (they are from {least:g} to {most:g}): for images in [0, 1], give "
                "limits=(0, 1)",
                stacklevel=2,
            )
        return ((images.to(torch.float32) - low) / (high - low) * 2 - 1) if limits != (-1.0, 1.0) else images.float()

    @property
    def _expected(self) -> str:
        return "expected floats" if self.points else "expected uint8 from 0 to 255, or floats in [-1, 1]"

    def _shapes(self, images: Tensor) -> str:
        channels, height, width = self.shape
        shapes = f"[count, {channels}, {height}, {width}]"
        if self.points:
            return shapes
        if images.dim() == 3 and channels == 1 and tuple(images.shape[1:]) == (height, width):
            return f"{shapes}: {len(images)} images or one picture of {len(images)} channels: give all four dimensions"
        mend = "uint8 and Pillow pictures are resized, others are not" if self.size else "other sizes are not resized"
        return f"{shapes}, or a single image; {mend}, and channels must be {channels} (Pillow: convert)"

    def _placed(self, images: Tensor) -> Tensor | None:
        """The images as [count, C, H, W] if they have the expected shape in any layout, else None."""
        channels, height, width = self.shape
        if images.dim() in (3, 4) and tuple(images.shape[-3:]) == self.shape:
            return images.reshape(-1, *self.shape)
        if self.points:
            return None
        if images.dim() in (3, 4) and tuple(images.shape[-3:]) == (height, width, channels):
            return images.movedim(-1, -3).reshape(-1, *self.shape)
        flat = images.dim() == 2 or (images.dim() == 3 and len(images) not in (3, 4))
        if channels == 1 and flat and tuple(images.shape[-2:]) == (height, width):
            return images.reshape(-1, *self.shape)
        return None

    def _bytes(self, images: Tensor) -> Tensor:
        placed = self._placed(images)
        if placed is not None:
            return placed
        pictures = self._pictures(images) if self.size and images.numel() else None
        if pictures is None:
            raise UsageError(f"images are {list(images.shape)}; expected {self._shapes(images)}")
        return torch.cat([self._sized(Image.fromarray(each)) for each in pictures])

    def _pictures(self, images: Tensor) -> NDArray[np.uint8] | None:
        """uint8 images of another size as [count, H, W] or [count, H, W, 3] if exactly one layout fits, else None."""
        channels = self.shape[0]
        if images.dim() == 2:
            return images[None].cpu().numpy() if channels == 1 else None
        first, last = (images.dim() in (3, 4) and images.shape[axis] == channels for axis in (-3, -1))
        if first == last:
            return None
        placed = images.movedim(-3, -1) if first else images
        whole = placed.reshape(-1, *placed.shape[-3:]).cpu().contiguous().numpy()
        return whole[..., 0] if channels == 1 else whole

    def _sized(self, picture: Image.Image) -> Tensor:
        """A Pillow picture as uint8 [1, C, H, W], cropped, resized and padded like the data."""
        channels = self.shape[0]
        if self.points:
            raise UsageError(f"images are a Pillow picture; expected points, floats {self._shapes(torch.empty(0))}")
        pixels = channels_first(picture_pixels(picture, self.size, self.white), channels)
        packed = Packed(np.ascontiguousarray(pixels[None]))
        padded = packed.padded(self.padding) if self.padding else packed
        image = torch.from_numpy(np.array((padded.centred(self.crop) if self.crop else padded).images))
        if tuple(image.shape[1:]) != self.shape:
            raise UsageError(f"a picture is {list(image.shape[1:])}; expected {list(self.shape)}")
        return image


def picture_pixels(picture: Image.Image, size: int | None, white: int | None = None) -> NDArray[np.uint8]:
    """The pixels uint8 [H, W, 3] of a Pillow picture, the same as if it were read from a file.

    Raises UsageError for floating-point pictures and for grey levels outside 16 bits.
    """
    upright = ImageOps.exif_transpose(picture)
    if upright.mode == "F":
        raise UsageError("a picture of floating-point numbers has no known range: give it as an array of floats")
    if upright.mode.startswith("I"):
        deep = np.asarray(upright).astype(np.int64)
        if deep.min() < 0 or deep.max() > 65_535:
            raise UsageError("a picture of grey levels outside 16 bits: scale them to 0 to 65,535")
        upright = Image.fromarray(deep.astype(np.uint16))
    file = io.BytesIO()
    (upright if upright.mode in _IN_PNG else upright.convert("RGB")).save(file, "PNG", compress_level=1)
    file.seek(0)
    return decode_picture(file, size, white=white).pixels


def as_tensor(given: object) -> Tensor:
    """A tensor or array as a tensor. Raises UsageError for other objects, and for types that torch does not have."""
    if isinstance(given, Tensor):
        return given.detach()
    if not isinstance(given, np.ndarray):
        raise UsageError(
            f"images are a {type(given).__name__}; expected a tensor, a numpy array, a Pillow picture or a list of them"
            " (ebgan.data.open_data(PATH) reads files)"
        )
    if given.dtype.kind not in "fuib" or given.dtype.itemsize > 8:
        raise UsageError(f"images are {given.dtype}; expected uint8 from 0 to 255, or floats")
    native = np.ascontiguousarray(given, given.dtype.newbyteorder("="))
    return torch.from_numpy(native if native.flags.writeable else native.copy())


def convert_integers(images: Tensor) -> str:
    """Advice for a message: how to convert images of integers or bools to uint8."""
    if images.dtype == torch.bool:
        return "convert them to uint8, with 255 for True"
    if not images.numel():
        return "give uint8"
    least, most = int(images.to(torch.int64).min()), int(images.to(torch.int64).max())
    if least < 0 or most > 255:
        return f"these are from {least} to {most}: scale that range to 0 to 255, then give uint8"
    return f"these are from {least} to {most}: give them as uint8 if 255 is white"


def convert_floats(least: float, most: float, name: str) -> str:
    """Advice for a message: how to give floats of this range; `name` is the argument that states the range."""
    if least >= 0 and most <= 1:
        return f"if 0 is black and 1 is white, give {name}=(0, 1)"
    if least >= -1 and most <= 1:
        return f"if -1 is black and 1 is white, give {name}=(-1, 1)"
    if least >= 0 and most <= 255:
        return f"if 0 is black and 255 is white, give {name}=(0, 255)"
    return f"give {name}=(BLACK, WHITE) with the values of black and white, and clip or scale what lies beyond them"


def _kind(images: Tensor) -> str:
    return str(images.dtype).removeprefix("torch.")
