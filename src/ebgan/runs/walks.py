"""Interpolate between samples of a run in noise space, as a picture or an animation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL.Image import Image
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.report import grid
from ebgan.runs.run import Run

COLUMNS = 9  # of a strip, including both ends
FRAMES = 12  # of a walk, from one sample to the next
SIDE = 192  # approximate side of a walk's picture, in pixels


def strip(run: Run, noise: Sequence[Tensor]) -> Image:
    """A grid with a row for each sample: from the sample on the left to the next one on the right, cyclically."""
    return grid(between(run, noise, [index / (COLUMNS - 1) for index in range(COLUMNS)]), COLUMNS)


def walk(run: Run, noise: Sequence[Tensor]) -> list[Image]:
    """The frames of a closed walk through all samples."""
    images = between(run, noise, [index / FRAMES for index in range(FRAMES)])
    scale = max(1, SIDE // max(images.shape[-2:]))
    return [grid(image[None], scale=scale) for image in images]


def between(run: Run, noise: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """Images [count shares, C, H, W] interpolated at the given shares from each sample to the next.

    Raises UsageError for a single sample.
    """
    if len(noise[0]) < 2:
        raise UsageError("an interpolation needs two samples: expected a count of at least 2")
    ways = [
        torch.stack([run.prior.between(each, each.roll(-1, 0), share) for share in shares], 1).flatten(0, 1)
        for each in noise
    ]
    return run.generate(ways)
