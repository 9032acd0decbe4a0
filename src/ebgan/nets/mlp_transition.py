"""A fully connected transition generator (VCD): image -> code -> image, a small version of the authors' nets.

Like their convolutional nets, it has batch norm after each weight layer except the last, ReLU between layers, tanh on
the code, and an output in the data's range.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import final

from torch import Tensor, nn

from ebgan.errors import check_least, check_most, check_number
from ebgan.nets.base import BuildContext, GeneratorSpec, TransitionGenerator
from ebgan.nets.layers import DEEPEST, BatchNorm, Dense, initialise, widened
from ebgan.nets.output import squash


@final
@dataclass(frozen=True, kw_only=True)
class MLPTransition(GeneratorSpec):
    """`depth` weight layers from image to code and as many back, hidden ones of `width` units."""

    depth: int = 2  # weight layers of each half, at least 1
    width: int = 800  # hidden units
    code: int = 256  # dimensions of the code: the paper's number for MNIST
    batch_norm: bool = True  # on all layers except the last
    std: float = 0.04  # of the initial weights, about Glorot's

    def build(self, context: BuildContext) -> TransitionGenerator:
        return initialise(_Transition(self, context), context.randomness, "generator", self.std)

    def __post_init__(self) -> None:
        check_least("nets.generator", 1, depth=self.depth, width=self.width, code=self.code)
        check_most("nets.generator", DEEPEST, depth=self.depth)
        check_number("nets.generator", "above 0", std=self.std)


class _Transition(TransitionGenerator):
    def __init__(self, spec: MLPTransition, context: BuildContext) -> None:
        super().__init__()
        pixels, hidden = math.prod(context.shape), [spec.width] * (spec.depth - 1)
        self.shape, self.squash, self.code = context.shape, squash(context.limits), spec.code
        self.encoder = nn.Sequential(*_layers(spec, context, [pixels, *hidden, spec.code])[:-1], nn.Tanh())
        self.hidden = nn.Sequential(*_layers(spec, context, [spec.code, *hidden]))
        self.output = Dense(hidden[-1] if hidden else spec.code, pixels, context.models)

    def encode(self, images: Tensor) -> Tensor:
        return widened(self.encoder(images.flatten(-3)))

    def decode(self, code: Tensor) -> Tensor:
        flat: Tensor = self.output(self.hidden(code))
        return self.squash(widened(flat)).reshape(*flat.shape[:-1], *self.shape)


def _layers(spec: MLPTransition, context: BuildContext, sizes: list[int]) -> list[nn.Module]:
    """Weight layers between consecutive sizes, with batch norm and ReLU."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        norm = BatchNorm(outputs, context.models) if spec.batch_norm else nn.Identity()
        layers += [Dense(inputs, outputs, context.models), norm, nn.ReLU()]
    return layers
