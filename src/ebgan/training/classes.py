"""Classes of images in a step, where the nets are by class."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from ebgan.energies import Energy
from ebgan.nets.base import ByClass
from ebgan.records import Reading
from ebgan.samplers import DrawKey
from ebgan.training.parts import in_part


def read(energy: Energy, net: nn.Module, images: Tensor, labels: Tensor | None) -> Reading:
    """Read images with a net, of these classes if it is by class."""
    return energy.read(net.of(labels) if isinstance(net, ByClass) and labels is not None else net, images)


def read_parts(energy: Energy, net: nn.Module, images: Tensor, labels: Tensor | None, parts: int) -> list[Reading]:
    """Read images in so many parts, whose activations are kept one at a time."""
    pieces = images.chunk(parts, -4)
    names = [None] * len(pieces) if labels is None else labels.chunk(parts, -1)
    return [in_part(net, partial(read, energy, net, piece, named)) for piece, named in zip(pieces, names, strict=True)]


def alternating(real: Tensor | None, fake: Tensor | None) -> Tensor | None:
    """The classes of a batch in which data and samples alternate."""
    if real is None or fake is None:
        return None
    return torch.stack((real, fake), -1).flatten(-2)


def others(labels: Tensor, net: ByClass, key: DrawKey) -> Tensor:
    """Another class for each image, drawn evenly from all but its own."""
    chance = key.randomness.uniform("wrong class", key.count, first=key.first, turn=key.turn)  # in (0, 1]
    steps = (chance * (net.classes - 1)).ceil().long()
    return (labels + steps) % net.classes
