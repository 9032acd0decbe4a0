"""The generators of the EBGAN paper for ImageNet (appendices C and F), with noise at every size.

    128   (1024)4c-(512)4c2s-(256)4c2s-(128)4c2s-(64)4c2s-(64)4c2s-(3)3c              noise 100-64-32-16-8-4
    256   (2048)4c-(1024)4c2s-(512)4c2s-...-(64)4c2s-(64)4c2s-(3)3c                   noise 100-64-32-16-8-4-2

The first entry of the noise is the dimension of z, at a single pixel; each further one is a number of noise planes,
concatenated to the feature maps that the next layer reads. The auto-encoder is `ConvAutoencoder` with
(64)4c2s-(128)4c2s-(256)4c2s-(512)4c2s.

Not stated in the paper: the last layer, (3)3c, gets no noise (there is one entry less than there are layers); batch
norm and ReLU on all layers except the last; convolutions have biases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from ebgan.errors import check_least, check_number
from ebgan.nets.base import BuildContext, Generator, GeneratorSpec
from ebgan.nets.convolutions import chain, channels_last, growing, spreading
from ebgan.nets.layers import he, initialise, widened
from ebgan.nets.notation import Layer, pyramid
from ebgan.nets.output import squash


@final
@dataclass(frozen=True, kw_only=True)
class NoisyGenerator(GeneratorSpec):
    """A generator for squares of 8, 16, 32... pixels with planes of noise added to the feature maps of every size."""

    width: int = 64  # feature maps of the last two layers before the image; twice as many at each size below
    noise: int = 100  # dimensions of z
    planes: int = 64  # noise planes at 4x4; half as many at each further size, at least 1
    batch_norm: bool = True  # on all layers except the last
    bias: bool = True  # of the convolutions
    std: float | None = 0.02  # of the initial weights; null is He's

    def __post_init__(self) -> None:
        check_least("nets.generator", 1, width=self.width, noise=self.noise, planes=self.planes)
        check_number("nets.generator", "above 0", std=self.std)

    def build(self, context: BuildContext) -> Generator:
        context.check_single("nets.generator")
        std = he if self.std is None else self.std
        return initialise(_Generator(self, context), context.randomness, "generator", std)

    def layers_for(self, shape: tuple[int, int, int]) -> tuple[Layer, ...]:
        """The layers for images [C, H, W]: DCGAN's, whose last one is cut in two."""
        *layers, image = pyramid(shape, self.width, "nets.generator")
        return *layers, image._replace(maps=self.width), Layer(image.maps, 3)


class _Generator(Generator):
    def __init__(self, spec: NoisyGenerator, context: BuildContext) -> None:
        super().__init__()
        first, *others = spec.layers_for(context.shape)
        self.squash, self.noise = squash(context.limits), ((spec.noise,), *_planes(spec.planes, others))
        norm = [spec.batch_norm]
        self.start = chain(spec.noise, [first], spreading, nn.ReLU(), normed=norm, bias=spec.bias)
        self.layers = nn.ModuleList()
        maps = first.maps
        for layer, (planes, _, _) in zip(others, self.noise[1:], strict=False):
            self.layers.append(chain(maps + planes, [layer], growing, nn.ReLU(), normed=norm, bias=spec.bias))
            maps = layer.maps
        self.image = chain(maps, others[-1:], growing, nn.ReLU(), normed=[False], bias=spec.bias)

    def forward(self, *noise: Tensor) -> Tensor:
        z, *planes = noise
        x = self.start(channels_last(z[..., None, None])).relu()
        for layer, plane in zip(self.layers, planes, strict=True):
            x = layer(torch.cat((x, channels_last(plane.to(x.dtype))), 1)).relu()
        return self.squash(widened(self.image(x)))


def _planes(count: int, layers: Sequence[Layer]) -> list[tuple[int, int, int]]:
    """The shapes of the noise planes for the doubling layers, from 4x4 on."""
    doubling = range(len(layers) - 1)
    return [(max(count >> index, 1), 4 << index, 4 << index) for index in doubling]
