"""A set whose images are randomly cropped and flipped each time the loader serves them.

Figures, metrics and scores use the centre of each image instead, which is not random.
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
    """A packed set with random crops and flips. Raises UsageError if the crop is larger than the images."""

    whole: Packed
    crop: int | None = None  # height and width of the random crop; None crops nothing
    flip: bool = False  # whether each image is mirrored left to right with probability 1/2

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
        """The set of the images' centred crops."""
        return self.whole if self.crop is None else self.whole.centred(self.crop)

    @property
    def images(self) -> NDArray[np.uint8]:
        """The centred crops [N, C, H, W]."""
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
        """The name of the set."""
        return self.whole.name

    @property
    def checksum(self) -> str:
        """The checksum of the whole set, without augmentation."""
        return self.whole.checksum

    def augmented(self, images: Tensor, randomness: Randomness, purpose: str, first: int) -> Tensor:
        """Crop and flip whole images [*models, batch, C, H, W] to [*models, batch, C, crop, crop].

        `first` counts the images served before. Crop and flip of an image depend only on the seed, `purpose` and
        that count, so a resumed run repeats them.
        """
        numbers = randomness.uniform(purpose, images.shape[-4], 3, first=first)  # [*models, batch, 3] in (0, 1]
        if self.crop is not None:
            images = _pieces(images, numbers[..., :2], self.crop)
        if self.flip:
            images = torch.where(numbers[..., 2, None, None, None] <= 0.5, images.flip(-1), images)
        return images


def _pieces(images: Tensor, numbers: Tensor, size: int) -> Tensor:
    """Crop each image [*models, batch, C, H, W]; its two numbers in (0, 1] choose the top left corner."""
    windows = images.flatten(0, -4).unfold(-2, size, 1).unfold(-2, size, 1)  # a view [all, C, tops, lefts, size, size]
    top, left = (
        (number.flatten() * choices).ceil().long() - 1
        for number, choices in zip(numbers.unbind(-1), windows.shape[2:4], strict=True)
    )
    every = torch.arange(len(windows), device=images.device)
    return windows[every, :, top, left].reshape(*images.shape[:-2], size, size)
