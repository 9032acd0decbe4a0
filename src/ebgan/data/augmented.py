"""A set whose images are cropped and flipped at random each time that they are served.

What is looked at, measured or scored is not augmented: it is the centre of each image.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebgan.data.packed import Packed
from ebgan.errors import UsageError
from ebgan.randomness import Randomness


@final
@dataclass(frozen=True, eq=False)
class Augmented:
    """A packed set, and what is done to its images whenever the loader serves them."""

    whole: Packed
    crop: int | None = None  # height and width of the piece that is cut out at a random place; None is all
    flip: bool = False  # whether every second image, at random, is mirrored from left to right

    def __post_init__(self) -> None:
        _, height, width = self.whole.shape
        if self.crop is not None and self.crop > min(height, width):
            raise UsageError(
                f"data.crop={self.crop}: {self.whole.name}: images are {height} x {width}; expected at most "
                f"{min(height, width)}"
            )

    def __len__(self) -> int:
        return len(self.whole)

    @cached_property
    def centre(self) -> Packed:
        """The centres of the images, as they are looked at."""
        return self.whole if self.crop is None else self.whole.centred(self.crop)

    @property
    def images(self) -> NDArray[np.uint8]:
        """The centres [N, C, H, W]."""
        return self.centre.images

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image as it is served."""
        return self.centre.shape

    @property
    def labels(self) -> NDArray[np.int64] | None:
        """The labels [N] of the set."""
        return self.whole.labels

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the labels."""
        return self.whole.classes

    @property
    def name(self) -> str:
        """What the set is called."""
        return self.whole.name

    @property
    def checksum(self) -> str:
        """That of the whole set."""
        return self.whole.checksum

    def augmented(self, images: Tensor, randomness: Randomness, purpose: str, first: int) -> Tensor:
        """Whole images [*models, batch, C, H, W] as they are served: [*models, batch, C, crop, crop].

        `first` is the place of the first one among all that are ever served; the piece and the side of an image
        follow from the seed, the purpose and its place alone.
        """
        numbers = randomness.uniform(purpose, images.shape[-4], 3, first=first)  # [*models, batch, 3] in (0, 1]
        if self.crop is not None:
            images = _pieces(images, numbers[..., :2], self.crop)
        if self.flip:
            images = torch.where(numbers[..., 2, None, None, None] <= 0.5, images.flip(-1), images)
        return images


def _pieces(images: Tensor, numbers: Tensor, size: int) -> Tensor:
    """Of each image [*models, batch, C, H, W] the piece whose corner its two numbers in (0, 1] choose."""
    windows = images.flatten(0, -4).unfold(-2, size, 1).unfold(-2, size, 1)  # a view [all, C, tops, lefts, size, size]
    top, left = (
        (number.flatten() * choices).ceil().long() - 1
        for number, choices in zip(numbers.unbind(-1), windows.shape[2:4], strict=True)
    )
    every = torch.arange(len(windows), device=images.device)
    return windows[every, :, top, left].reshape(*images.shape[:-2], size, size)
