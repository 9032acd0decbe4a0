"""Differentiable augmentation of all that the discriminator reads, for few pictures (DiffAugment: Zhao et al., 2020).

    discriminator   the inner objective's, of T(x) and T(G(z))
    generator       the inner objective's, of T(G(z)), through T

    colour        brightness x + s (u - 1/2); saturation and contrast: the distance from the grey of the pixel, and from
                  the mean of the picture, times 1 + s (2u - 1) and 1 + s (u - 1/2)
    translation   by up to so large a share of the sides, whole pixels, either way, zeros beyond the edge
    cutout        a square of zeros, its sides so large a share of the picture's, anywhere

in this order, with numbers u of its own for each picture. Samples are changed as the data is, so that a discriminator
that knows a few pictures by heart does not know what it reads, and the generator need not learn the changes. The paper
has shares 1/8 and 1/2 and the colours of s = 1, for pictures in [-1, 1], where 0 is grey. In a turn the data and the
samples at the same place of the batch are changed alike; in the authors' code each on its own.

The numbers are a function of seed, place and turn, so that runs resume, ranks and stacks see the same ones. Images of
a batch that tells classes pass as they are, and so do those of the pass after a pretraining.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from ebgan.errors import UsageError, check_number
from ebgan.numbers import Number, is_used, per_model
from ebgan.objectives.base import Asks, Objective
from ebgan.objectives.wrapper import Wrapper

State = tuple[Any, ...]
DRAWS = 7  # for each picture: 3 of colours, 2 of the translation, 2 of the cutout


@final
@dataclass(frozen=True, kw_only=True)
class Augmentation(Wrapper[State]):
    """Any objective, whose discriminator reads pictures moved, cut out of and in other colours."""

    inner: Objective[Any]
    translation: float = 0.125  # the farthest, as a share of the sides; 0 leaves it out, as below
    cutout: float = 0.5  # the square's side, as a share of the sides
    colour: float = 1.0  # strength s

    def __post_init__(self) -> None:
        check_number("objective", "from 0 to 1", translation=self.translation, cutout=self.cutout, colour=self.colour)
        if self.inner.asks.draws:
            raise UsageError("objective.inner: changes pictures already: use Augmentation once")

    def shown(self, state: State, images: Tensor, numbers: Tensor) -> Tensor:
        images = images.expand(*numbers.shape[: numbers.dim() - 1], *images.shape[-3:])
        numbers = numbers[..., None, None, None, :]
        if is_used(self.colour):
            images = coloured(images, numbers[..., :3], per_model(self.colour, 4))
        if is_used(self.translation):
            images = translated(images, numbers[..., 3:5], per_model(self.translation, 4))
        if is_used(self.cutout):
            images = cut_out(images, numbers[..., 5:], per_model(self.cutout, 4))
        return images

    @property
    def asks(self) -> Asks:
        """What the inner objective asks for, and random numbers for each picture."""
        return super().asks._replace(draws=DRAWS)


def coloured(images: Tensor, numbers: Tensor, strength: Number) -> Tensor:
    """Pictures of other brightness, saturation and contrast, by three numbers [*models, batch, 1, 1, 1, 3]."""
    brightness, saturation, contrast = numbers.unbind(-1)
    images = images + strength * (brightness - 0.5)
    grey = images.mean(-3, keepdim=True)
    images = grey + (images - grey) * (1 + strength * (2 * saturation - 1))
    mean = images.mean((-3, -2, -1), keepdim=True)
    return mean + (images - mean) * (1 + strength * (contrast - 0.5))


def translated(images: Tensor, numbers: Tensor, share: Number) -> Tensor:
    """Pictures moved by whole pixels, by two numbers [*models, batch, 1, 1, 1, 2]."""
    for axis, number in zip((-2, -1), numbers.unbind(-1), strict=True):
        size = images.shape[axis]
        most = _whole(share * size)
        shift = ((1 - number) * (2 * most + 1)).floor() - most
        source = _places(images, axis) - shift
        inside = (source >= 0) & (source < size)
        index = source.clamp(0, size - 1).long().expand_as(images)
        images = images.gather(axis, index) * inside
    return images


def cut_out(images: Tensor, numbers: Tensor, share: Number) -> Tensor:
    """Pictures with a square of zeros, by two numbers [*models, batch, 1, 1, 1, 2]; it may hang over an edge."""
    within = torch.ones((), dtype=torch.bool, device=images.device)
    for axis, number in zip((-2, -1), numbers.unbind(-1), strict=True):
        size = images.shape[axis]
        side = _whole(share * size)
        centre = ((1 - number) * (size + 1 - side % 2)).floor()
        start = centre - side // 2
        places = _places(images, axis)
        within = within & (places >= start) & (places < start + side)
    return images * ~within


def _places(images: Tensor, axis: int) -> Tensor:
    """The indices along an axis, as floats that broadcast with pictures."""
    places = torch.arange(images.shape[axis], device=images.device, dtype=images.dtype)
    return places[:, None] if axis == -2 else places


def _whole(value: Number) -> Number:
    """The nearest whole number."""
    return (value + 0.5).floor() if isinstance(value, Tensor) else float(int(value + 0.5))
