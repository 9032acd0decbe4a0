"""Ways through the noise of a run: what lies between its samples, as a picture or as a film."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL.Image import Image
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.report import grid
from ebgan.runs.run import Run

COLUMNS = 9  # of a strip, both ends among them
FRAMES = 12  # of a walk, from one sample to the next
SIDE = 192  # pixels of a walk's picture, about


def strip(run: Run, noise: Sequence[Tensor]) -> Image:
    """A row for each sample, from it on the left to the next one on the right, the last one's next being the first."""
    return grid(between(run, noise, [index / (COLUMNS - 1) for index in range(COLUMNS)]), COLUMNS)


def walk(run: Run, noise: Sequence[Tensor]) -> list[Image]:
    """Pictures on a round that visits every sample, each next one a little further."""
    images = between(run, noise, [index / FRAMES for index in range(FRAMES)])
    scale = max(1, SIDE // max(images.shape[-2:]))
    return [grid(image[None], scale=scale) for image in images]


def between(run: Run, noise: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """Images [count shares, C, H, W] at so great shares of the way from each sample of a noise to the next one.

    Raises UsageError for a single sample.
    """
    if len(noise[0]) < 2:
        raise UsageError("a way leads from one sample to another: expected a count of at least 2")
    ways = [
        torch.stack([run.prior.between(each, each.roll(-1, 0), share) for share in shares], 1).flatten(0, 1)
        for each in noise
    ]
    return run.generate(ways)
