"""The notation of the EBGAN paper for convolutional nets: `(64)4c2s-(128)4c2s` (appendices C, F and G).

`(64)4c2s` is a convolution with 64 output feature maps, a kernel of 4 and a stride of 2; `(3)3c` has a stride of 1. In
a generator or decoder the convolutions are transposed, so that a stride of 2 doubles the size.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from ebgan.errors import UsageError

_LAYER = re.compile(r"\(([1-9]\d*)\)([1-9]\d*)c(?:([1-9]\d*)s)?")
_FORM = "expected layers as (64)4c2s-(128)4c2s: (feature maps), kernel c, stride s"


class Layer(NamedTuple):
    """A convolution as the paper writes it."""

    maps: int  # output feature maps
    kernel: int
    stride: int = 1

    def __str__(self) -> str:
        return f"({self.maps}){self.kernel}c" + (f"{self.stride}s" if self.stride > 1 else "")


def parse(text: str, owner: str) -> tuple[Layer, ...]:
    """Parse layers. Raises UsageError, with `owner` (the field) and the first invalid layer."""
    layers = []
    for word in text.split("-"):
        found = _LAYER.fullmatch(word.strip())
        if found is None:
            raise UsageError(f"{owner}: {word!r} is not a layer; {_FORM}")
        maps, kernel, stride = (int(number or 1) for number in found.groups())
        layers.append(Layer(maps, kernel, stride))
    return tuple(layers)


def show(layers: Sequence[Layer]) -> str:
    """The text of layers, which parses to the same."""
    return "-".join(map(str, layers))


def check_sizes(layers: Sequence[Layer], owner: str) -> None:
    """Raise UsageError for a layer that cannot be padded so that only its stride changes the size."""
    for layer in layers:
        if layer.kernel < layer.stride or (layer.kernel - layer.stride) % 2:
            raise UsageError(
                f"{owner}: {layer} cannot be padded equally on both sides: choose a kernel larger than the stride by "
                f"0, 2, 4..., such as {layer._replace(kernel=layer.stride + 2)}"
            )


def growth(layers: Sequence[Layer]) -> int:
    """The factor by which layers enlarge or shrink an image."""
    return math.prod(layer.stride for layer in layers)


def pyramid(shape: tuple[int, int, int], width: int, owner: str) -> tuple[Layer, ...]:
    """DCGAN's generator for images [C, H, W] of any size: 4x4 first, then doubled with half as many maps each time.

    `width` is the number of maps before the image. Raises UsageError for a size that doubling from 4 does not meet.
    """
    first, *middle = (width << index for index in reversed(range(doublings(shape, owner))))
    return Layer(first, 4), *(Layer(maps, 4, 2) for maps in middle), Layer(shape[0], 4, 2)


def doublings(shape: tuple[int, int, int], owner: str) -> int:
    """The number of doublings from 4 pixels to the size of images. Raises UsageError for other sizes."""
    _, height, width = shape
    count = height.bit_length() - 3
    if height != width or count < 1 or 4 << count != height:
        raise UsageError(
            f"{owner}: images are {height} x {width}; expected squares of 8, 16, 32, 64... pixels: choose one of these "
            "as data.size, or pad the images by data.padding"
        )
    return count
