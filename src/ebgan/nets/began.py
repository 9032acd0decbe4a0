"""The nets of BEGAN (Berthelot, Schumm & Metz, 2017, figure 1): n feature maps, h numbers in noise and code.

    generator   h -> 8 x 8 x n;  at each size two 3x3 convolutions n -> n;  doubled in between (nearest);  n -> image
    encoder     image -> n;  at the l-th size l n -> l n and l n -> (l + 1) n, halved;  at 8 x 8 twice L n -> L n;  -> h
    decoder     the generator's layout

ELU after each convolution except the last, nothing after linear layers; no batch norm. Halving is done by the second
convolution, with a stride of 2. The last convolution is linear, as in the widely used code: samples may leave the
data's range, and are clipped when shown.

Two refinements that the paper calls optional, off by default:

    skip     the 8 x 8 x n of the linear layer, enlarged and concatenated to the input of each further size of a decoder
    carry    vanishing residuals: a convolution that keeps size and maps computes carry x + (1 - carry) ELU(conv(x));
             carry falls from 1 to 0 over 16,000 steps, which at the paper's batch of 16 is
             Linear(start=1.0, end=0.0, finish=256_000) in images seen

The paper does not state the initial weights; He's rule is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from ebgan.errors import check_least, check_number
from ebgan.nets.base import Autoencoder, BuildContext, DiscriminatorSpec, Generator, GeneratorSpec
from ebgan.nets.clock import Fading
from ebgan.nets.convolutions import Convolution, channels_last
from ebgan.nets.layers import Dense, he, initialise, widened
from ebgan.nets.notation import doublings
from ebgan.nets.output import Output, ending
from ebgan.schedules import Schedule

SIDE = 8  # of the smallest feature maps


@final
@dataclass(frozen=True, kw_only=True)
class BEGANGenerator(GeneratorSpec):
    """The generator, for squares of 16, 32, 64... pixels."""

    width: int = 128  # n, feature maps; the paper has 64 and 128
    noise: int = 64  # h, dimensions of z
    output: Output = "linear"  # the last nonlinearity: none, or the one whose range is the data's
    skip: bool = False  # whether the linear layer's maps are concatenated to those of each further size
    carry: Schedule | None = None  # factor of vanishing residuals, by images seen
    std: float | None = None  # of the initial weights; null means He's rule

    def __post_init__(self) -> None:
        check_least("nets.generator", 1, width=self.width, noise=self.noise)
        check_number("nets.generator", "above 0", std=self.std)

    def build(self, context: BuildContext) -> Generator:
        context.check_single("nets.generator")
        std = he if self.std is None else self.std
        return initialise(_Generator(self, context), context.randomness, "generator", std)


@final
@dataclass(frozen=True, kw_only=True)
class BEGANAutoencoder(DiscriminatorSpec):
    """The auto-encoder, for squares of 16, 32, 64... pixels."""

    width: int = 128  # n, feature maps of the first size and of the decoder; the paper has 64 and 128
    code: int = 64  # h
    output: Output = "linear"  # the last nonlinearity: none, or the one whose range is the data's
    skip: bool = False  # whether the linear layer's maps are concatenated to those of each further size of the decoder
    carry: Schedule | None = None  # factor of vanishing residuals, by images seen
    std: float | None = None  # of the initial weights; null means He's rule

    def __post_init__(self) -> None:
        check_least("nets.discriminator", 1, width=self.width, code=self.code)
        check_number("nets.discriminator", "above 0", std=self.std)

    def build(self, context: BuildContext) -> Autoencoder:
        context.check_single("nets.discriminator")
        std = he if self.std is None else self.std
        return initialise(_Autoencoder(self, context), context.randomness, "discriminator", std)


class _Generator(Generator):
    def __init__(self, spec: BEGANGenerator, context: BuildContext) -> None:
        super().__init__()
        self.noise = ((spec.noise,),)
        self.carry = _fading(spec.carry)
        self.decoder = _Decoder(spec.noise, spec.width, spec.skip, context, "nets.generator")
        self.ending = ending(spec.output, context.limits)

    def forward(self, *noise: Tensor) -> Tensor:
        (z,) = noise
        return self.ending(widened(self.decoder(z, _now(self.carry))))


class _Autoencoder(Autoencoder):
    def __init__(self, spec: BEGANAutoencoder, context: BuildContext) -> None:
        super().__init__()
        self.carry = _fading(spec.carry)
        self.encoder = _Encoder(spec.code, spec.width, context)
        self.decoder = _Decoder(spec.code, spec.width, spec.skip, context, "nets.discriminator")
        self.ending = ending(spec.output, context.limits)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        carry = _now(self.carry)
        code = self.encoder(images, carry)
        return widened(code), self.ending(widened(self.decoder(code, carry)))


class _Decoder(nn.Module):
    """h numbers -> an image."""

    def __init__(self, numbers: int, width: int, skip: bool, context: BuildContext, owner: str) -> None:
        super().__init__()
        self.width, self.skip = width, skip
        self.start = Dense(numbers, SIDE * SIDE * width)
        beside = [0, *[width * skip] * (doublings(context.shape, owner) - 1)]
        self.sizes = nn.ModuleList(_Size(width + maps, width) for maps in beside)
        self.image = Convolution(width, context.shape[0], 3)

    def forward(self, numbers: Tensor, carry: Tensor | None) -> Tensor:
        start = channels_last(self.start(numbers).unflatten(-1, (self.width, SIDE, SIDE)))
        x = self.sizes[0](start, carry)
        for index, size in enumerate(self.sizes[1:], 1):
            x = functional.interpolate(x, scale_factor=2.0)
            if self.skip:
                x = torch.cat((x, functional.interpolate(start, scale_factor=2.0**index)), 1)
            x = size(x, carry)
        image: Tensor = self.image(x)
        return image


class _Size(nn.Module):
    """The two convolutions of a size in a decoder."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.first, self.second = _Convolution(inputs, width), _Convolution(width, width)

    def forward(self, x: Tensor, carry: Tensor | None) -> Tensor:
        out: Tensor = self.second(self.first(x, carry), carry)
        return out


class _Encoder(nn.Module):
    """An image -> h numbers."""

    def __init__(self, numbers: int, width: int, context: BuildContext) -> None:
        super().__init__()
        sizes = doublings(context.shape, "nets.discriminator")  # from 8 x 8 to the image's
        self.start = Convolution(context.shape[0], width, 3)
        self.layers = nn.ModuleList()
        for maps, more in pairwise(width * index for index in range(1, sizes + 1)):
            self.layers.extend((_Convolution(maps, maps), _Convolution(maps, more, stride=2)))
        self.layers.extend(_Convolution(width * sizes, width * sizes) for _ in range(2))
        self.code = Dense(SIDE * SIDE * width * sizes, numbers)

    def forward(self, images: Tensor, carry: Tensor | None) -> Tensor:
        x = functional.elu(self.start(channels_last(images)))
        for layer in self.layers:
            x = layer(x, carry)
        code: Tensor = self.code(x.flatten(1))
        return code


class _Convolution(nn.Module):
    """A 3x3 convolution and ELU; if it keeps size and maps, with a vanishing residual connection."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.keeps = inputs == outputs and stride == 1
        self.layer = Convolution(inputs, outputs, 3, stride)

    def forward(self, x: Tensor, carry: Tensor | None) -> Tensor:
        out = functional.elu(self.layer(x))
        return out if carry is None or not self.keeps else torch.lerp(out, x, carry.to(x.dtype))


def _fading(carry: Schedule | None) -> Fading | None:
    return None if carry is None else Fading(carry)


def _now(carry: Fading | None) -> Tensor | None:
    return None if carry is None else carry()
