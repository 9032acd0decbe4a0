"""The convolutional nets of VGAN and VCD (Zhai, Cheng, Feris & Zhang, 2016, section 7), with pools and 5x5 kernels.

    energy       (w)5c - pool - (w)5c - pool - 1024 - K experts, or one logit for the GAN beside them
    generator    z - 1024 - w n/4 n/4 - (w)5c2s - (C)5c2s, transposed
    transition   (w)5c - pool - (w)5c - pool - code;  code - w n/4 n/4 - (w)5c2s - (C)5c2s, transposed

for images n x n, n a multiple of 4. ReLU; tanh on the code. Batch norm is on all layers of a generator except the last,
and not in the energy, where it would make the energy of an image depend on the other images of the batch.

The paper gives the layers, the 1024 ("1204" is a slip), K = 100 in section 7.1, and codes of 256 numbers for MNIST and
2048 for CIFAR-10 and SVHN. The authors' code gives kernels, biases and widths: w = 64 for MNIST and 128 for colour in
the energy, and 64, 256 (CIFAR-10) and 128 (SVHN) in the transition generator; it takes K = 128. The generator of
section 7.1 was not published: its 1024 units, w and noise are ours. Initial weights have Glorot's deviation, as theirs,
but are normal where theirs are uniform; biases begin at 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor, nn

from ebgan.errors import UsageError, check_least, check_number
from ebgan.nets.base import (
    BuildContext,
    Discriminator,
    DiscriminatorSpec,
    Experts,
    Generator,
    GeneratorSpec,
    TransitionGenerator,
)
from ebgan.nets.convolutions import Convolution, Deconvolution, ImageNorm, channels_last
from ebgan.nets.layers import BatchNorm, Dense, Net, glorot, initialise, widened
from ebgan.nets.output import squash

KERNEL = 5


@final
@dataclass(frozen=True, kw_only=True)
class VGANGenerator(GeneratorSpec):
    """Two fully connected layers from noise, and two transposed convolutions to an image in the data's range."""

    width: int = 128  # feature maps before the image
    hidden: int = 1024  # units of the first layer
    noise: int = 100  # dimensions of z
    std: float | None = None  # of the initial weights; null means Glorot's rule

    def __post_init__(self) -> None:
        check_least("nets.generator", 1, width=self.width, hidden=self.hidden, noise=self.noise)
        check_number("nets.generator", "above 0", std=self.std)

    def build(self, context: BuildContext) -> Generator:
        return _built(_Generator(self, _checked(context, "nets.generator")), context, "generator", self.std)


@final
@dataclass(frozen=True, kw_only=True)
class VGANTransition(GeneratorSpec):
    """An auto-encoder whose code, in [-1, 1], is mixed with noise in a transition."""

    width: int = 64  # feature maps: the authors' 64 for MNIST, 256 for CIFAR-10, 128 for SVHN
    code: int = 256  # dimensions of the code: 256 for MNIST, 2048 for CIFAR-10 and SVHN
    std: float | None = None  # of the initial weights; null means Glorot's rule

    def __post_init__(self) -> None:
        check_least("nets.generator", 1, width=self.width, code=self.code)
        check_number("nets.generator", "above 0", std=self.std)

    def build(self, context: BuildContext) -> TransitionGenerator:
        return _built(_Transition(self, _checked(context, "nets.generator")), context, "generator", self.std)


@final
@dataclass(frozen=True, kw_only=True)
class VGANExperts(DiscriminatorSpec):
    """Two convolutions with pooling, a layer of features, and K experts."""

    width: int = 128  # feature maps: the authors' 64 for MNIST, 128 for CIFAR-10 and SVHN
    hidden: int = 1024  # features below the experts
    experts: int = 100  # K; the authors' code has 128
    std: float | None = None  # of the initial weights; null means Glorot's rule

    def __post_init__(self) -> None:
        check_least("nets.discriminator", 1, width=self.width, hidden=self.hidden, experts=self.experts)
        check_number("nets.discriminator", "above 0", std=self.std)

    def build(self, context: BuildContext) -> Experts:
        return _built(_Experts(self, _checked(context, "nets.discriminator")), context, "discriminator", self.std)


@final
@dataclass(frozen=True, kw_only=True)
class VGANDiscriminator(DiscriminatorSpec):
    """The same net with one logit instead of the experts: the GAN that the paper compares VGAN with."""

    width: int = 128  # feature maps
    hidden: int = 1024  # features below the logit
    std: float | None = None  # of the initial weights; null means Glorot's rule

    def __post_init__(self) -> None:
        check_least("nets.discriminator", 1, width=self.width, hidden=self.hidden)
        check_number("nets.discriminator", "above 0", std=self.std)

    def build(self, context: BuildContext) -> Discriminator:
        return _built(_Discriminator(self, _checked(context, "nets.discriminator")), context, "discriminator", self.std)


class _Generator(Generator):
    def __init__(self, spec: VGANGenerator, context: BuildContext) -> None:
        super().__init__()
        self.noise = ((spec.noise,),)
        self.hidden = nn.Sequential(Dense(spec.noise, spec.hidden), BatchNorm(spec.hidden), nn.ReLU())
        self.decoder = _Decoder(spec.hidden, spec.width, context)

    def forward(self, *noise: Tensor) -> Tensor:
        (z,) = noise
        images: Tensor = self.decoder(self.hidden(z))
        return images


class _Transition(TransitionGenerator):
    def __init__(self, spec: VGANTransition, context: BuildContext) -> None:
        super().__init__()
        self.code = spec.code
        self.maps = _convolutions(spec.width, context, norm=True)
        self.encoder = nn.Sequential(Dense(_units(spec.width, context), spec.code), BatchNorm(spec.code), nn.Tanh())
        self.decoder = _Decoder(spec.code, spec.width, context)

    def encode(self, images: Tensor) -> Tensor:
        return widened(self.encoder(self.maps(channels_last(images)).flatten(1)))

    def decode(self, code: Tensor) -> Tensor:
        images: Tensor = self.decoder(code)
        return images


class _Decoder(nn.Module):
    """A fully connected layer to maps of a quarter of the size, and two transposed convolutions to the image."""

    def __init__(self, inputs: int, width: int, context: BuildContext) -> None:
        super().__init__()
        self.squash = squash(context.limits)
        height, breadth = _pooled(context)
        units = _units(width, context)
        self.start = nn.Sequential(Dense(inputs, units), BatchNorm(units), nn.ReLU())
        self.unflatten = nn.Unflatten(1, (width, height, breadth))
        middle = Deconvolution(width, width, KERNEL, 2), ImageNorm(width), nn.ReLU()
        self.layers = nn.Sequential(*middle, Deconvolution(width, context.shape[0], KERNEL, 2))

    def forward(self, code: Tensor) -> Tensor:
        maps = self.unflatten(self.start(code))
        return self.squash(widened(self.layers(channels_last(maps))))


class _Trunk(nn.Module):
    """Images -> features, without batch norm."""

    def __init__(self, width: int, hidden: int, context: BuildContext) -> None:
        super().__init__()
        self.maps = _convolutions(width, context, norm=False)
        self.layer = Dense(_units(width, context), hidden)

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.layer(self.maps(channels_last(images)).flatten(1))
        return features.relu()


class _Experts(Experts):
    def __init__(self, spec: VGANExperts, context: BuildContext) -> None:
        super().__init__()
        self.trunk = _Trunk(spec.width, spec.hidden, context)
        self.experts = Dense(spec.hidden, spec.experts)

    def forward(self, images: Tensor) -> Tensor:
        return widened(self.experts(self.trunk(images)))

    def features(self, images: Tensor) -> Tensor:
        return widened(self.trunk(images))


class _Discriminator(Discriminator):
    def __init__(self, spec: VGANDiscriminator, context: BuildContext) -> None:
        super().__init__()
        self.trunk = _Trunk(spec.width, spec.hidden, context)
        self.logit = Dense(spec.hidden, 1)

    def forward(self, images: Tensor) -> Tensor:
        return widened(self.logit(self.trunk(images))).squeeze(-1)

    def features(self, images: Tensor) -> Tensor:
        return widened(self.trunk(images))


def _convolutions(width: int, context: BuildContext, *, norm: bool) -> nn.Sequential:
    """Two convolutions, each with ReLU and a pool that halves the size."""
    parts: list[nn.Module] = []
    for inputs in (context.shape[0], width):
        norms = [ImageNorm(width)] if norm else []
        parts += [Convolution(inputs, width, KERNEL), *norms, nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*parts)


def _pooled(context: BuildContext) -> tuple[int, int]:
    """Height and width after two poolings."""
    _, height, width = context.shape
    return height // 4, width // 4


def _units(width: int, context: BuildContext) -> int:
    """The number of activations in `width` maps after two poolings."""
    height, breadth = _pooled(context)
    return width * height * breadth


def _checked(context: BuildContext, owner: str) -> BuildContext:
    """The context, after a check. Raises UsageError for a stack, or if 4 does not divide height and width."""
    context.check_single(owner)
    _, height, width = context.shape
    if height % 4 or width % 4:
        raise UsageError(
            f"{owner}: images are {height} x {width}; expected multiples of 4, since VGAN's nets halve them twice: "
            "choose data.size or data.padding accordingly"
        )
    return context


def _built(net: Net, context: BuildContext, purpose: str, std: float | None) -> Net:
    return initialise(net, context.randomness, purpose, glorot if std is None else std)
