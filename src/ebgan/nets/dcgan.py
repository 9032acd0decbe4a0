"""The convolutional nets of the EBGAN paper's images (appendix C), after DCGAN (Radford et al., 2016).

    generator       (512)4c-(256)4c2s-(128)4c2s-(64)4c2s-(3)4c2s, transposed, on 64x64 images; ReLU
    encoder         (64)4c2s-(128)4c2s-(256)4c2s
    decoder         (128)4c2s-(64)4c2s-(3)4c2s, transposed: the encoder mirrored
    discriminator   (64)4c2s-(128)4c2s-(256)4c2s-(512)4c2s-(1)4c of the probabilistic GAN

Nets for squares of 8, 16, 32, 64... pixels follow the same rule, doubling from 4x4. Weights are N(0, 0.02^2), and
N(0, 0.002^2) in the auto-encoder; biases are 0 at the start.

Not stated in the paper: batch norm is on all layers except the generator's and decoder's last, the encoder's and
discriminator's first, and the logit, as in the DCGAN code; read literally, the paper's rule also puts it on the
decoder's output (`output_norm`). LeakyReLU of 0.2 in the discriminator and the auto-encoder, whose output is squashed
to the data's range. Convolutions have no biases in the DCGAN code, but do in the auto-encoder. MAGAN's nets are
settings of these (`nets.magan`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from torch import Tensor, nn

from ebgan.errors import UsageError, check_least, check_number
from ebgan.nets.base import Autoencoder, BuildContext, Discriminator, DiscriminatorSpec, Generator, GeneratorSpec
from ebgan.nets.convolutions import (
    Convolution,
    chain,
    channels_last,
    growing,
    he_by_outputs,
    shrinking,
    spreading,
)
from ebgan.nets.layers import glorot, initialise, widened
from ebgan.nets.notation import Layer, check_sizes, doublings, growth, parse, pyramid
from ebgan.nets.output import Output, ending, squash


@final
@dataclass(frozen=True, kw_only=True)
class ConvGenerator(GeneratorSpec):
    """Transposed convolutions from noise at a single pixel to an image in the data's range."""

    width: int = 64  # feature maps before the image; twice as many at each size below
    layers: str | None = None  # the layers in the paper's notation, instead of the rule by width
    noise: int = 100  # dimensions of z
    batch_norm: bool = True  # on all layers except the last
    bias: bool = False  # of the convolutions
    std: float | Literal["magan"] = 0.02  # of the initial weights; "magan" means the rule of MAGAN's code

    def __post_init__(self) -> None:
        check_least("nets.generator", 1, width=self.width, noise=self.noise)
        check_number("nets.generator", "above 0", std=None if self.std == "magan" else self.std)
        if self.layers is not None:
            first, *others = parse(self.layers, "nets.generator.layers")
            check_sizes(others, "nets.generator.layers")
            if first.stride > 1:
                raise UsageError(
                    f"nets.generator.layers: the first layer, {first}, starts from a single pixel and cannot have a "
                    f"stride: give {first._replace(stride=1)}"
                )

    def build(self, context: BuildContext) -> Generator:
        context.check_single("nets.generator")
        std = he_by_outputs if self.std == "magan" else self.std
        net = initialise(_Generator(self, context), context.randomness, "generator", std)
        if self.std == "magan":
            initialise(net.layers[-1], context.randomness, "generator.last", glorot, uniform=True)
        return net

    def layers_for(self, shape: tuple[int, int, int]) -> tuple[Layer, ...]:
        """The layers for images [C, H, W]. Raises UsageError for images that they cannot make."""
        if self.layers is None:
            return pyramid(shape, self.width, "nets.generator")
        layers = parse(self.layers, "nets.generator.layers")
        size = layers[0].kernel * growth(layers[1:])
        made = (layers[-1].maps, size, size)
        if made != shape:
            raise UsageError(
                f"nets.generator.layers: {self.layers} makes images of {made} (channels, height, width); expected the "
                f"data's {shape}: choose other layers, or null"
            )
        return layers


@final
@dataclass(frozen=True, kw_only=True)
class ConvAutoencoder(DiscriminatorSpec):
    """An encoder of convolutions and its mirror image; the code is the encoder's last activation, flat."""

    encoder: str = "(64)4c2s-(128)4c2s-(256)4c2s"  # its layers, in the paper's notation
    slope: float = 0.2  # of the LeakyReLU below 0; 0 is a ReLU
    output: Output = "limits"  # the decoder's last nonlinearity: the one whose range is the data's, or none
    batch_norm: bool = True  # on all layers except the encoder's first and the decoder's last
    output_norm: bool = False  # batch norm on the decoder's output
    code_activated: bool = True  # whether the code (for the pulling-away term) is taken after the LeakyReLU
    bias: bool = True  # of the convolutions
    std: float | Literal["magan"] = 0.002  # of the initial weights; "magan" means Xavier's uniform rule

    def __post_init__(self) -> None:
        check_number("nets.discriminator", "from 0 to 1", slope=self.slope)
        check_number("nets.discriminator", "above 0", std=None if self.std == "magan" else self.std)
        check_sizes(parse(self.encoder, "nets.discriminator.encoder"), "nets.discriminator.encoder")

    def build(self, context: BuildContext) -> Autoencoder:
        context.check_single("nets.discriminator")
        std, uniform = (glorot, True) if self.std == "magan" else (self.std, False)
        return initialise(_Autoencoder(self, context), context.randomness, "discriminator", std, uniform=uniform)

    def layers_for(self, shape: tuple[int, int, int]) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
        """Encoder and decoder for images [C, H, W]. Raises UsageError for a size that the strides do not divide."""
        channels, height, width = shape
        encoder = parse(self.encoder, "nets.discriminator.encoder")
        shrinks = growth(encoder)
        if height % shrinks or width % shrinks:
            raise UsageError(
                f"nets.discriminator.encoder: images are {height} x {width}; {self.encoder} needs multiples of "
                f"{shrinks}: choose data.size or data.padding accordingly"
            )
        maps = [channels, *(layer.maps for layer in encoder)]
        mirrored = [layer._replace(maps=fewer) for fewer, layer in zip(maps, encoder, strict=False)]
        return encoder, tuple(reversed(mirrored))


@final
@dataclass(frozen=True, kw_only=True)
class ConvDiscriminator(DiscriminatorSpec):
    """Convolutions down to 4x4 pixels, and one logit from all of these."""

    width: int = 64  # feature maps of the first layer; twice as many at each size below
    slope: float = 0.2  # of the LeakyReLU below 0
    batch_norm: bool = True  # on all layers except the first and the logit
    bias: bool = False  # of the convolutions
    std: float = 0.02  # of the initial weights

    def __post_init__(self) -> None:
        check_least("nets.discriminator", 1, width=self.width)
        check_number("nets.discriminator", "from 0 to 1", slope=self.slope)
        check_number("nets.discriminator", "above 0", std=self.std)

    def build(self, context: BuildContext) -> Discriminator:
        context.check_single("nets.discriminator")
        return initialise(_Discriminator(self, context), context.randomness, "discriminator", self.std)


class _Generator(Generator):
    def __init__(self, spec: ConvGenerator, context: BuildContext) -> None:
        super().__init__()
        self.squash, self.noise = squash(context.limits), ((spec.noise,),)
        first, *others = spec.layers_for(context.shape)
        norm = [spec.batch_norm] * len(others)
        self.start = chain(spec.noise, [first], spreading, nn.ReLU(), normed=norm[:1], bias=spec.bias)
        self.layers = chain(first.maps, others, growing, nn.ReLU(), normed=[*norm[1:], False], bias=spec.bias)

    def forward(self, *noise: Tensor) -> Tensor:
        (z,) = noise
        images: Tensor = self.layers(self.start(channels_last(z[..., None, None])).relu())
        return self.squash(widened(images))


class _Autoencoder(Autoencoder):
    def __init__(self, spec: ConvAutoencoder, context: BuildContext) -> None:
        super().__init__()
        encoder, decoder = spec.layers_for(context.shape)
        self.ending, self.code_activated = ending(spec.output, context.limits), spec.code_activated
        self.activation = nn.LeakyReLU(spec.slope)
        norm = [spec.batch_norm] * (len(encoder) - 1)
        self.encoder = chain(
            context.shape[0], encoder, shrinking, self.activation, normed=[False, *norm], bias=spec.bias
        )
        ends = [*norm, spec.output_norm]
        self.decoder = chain(encoder[-1].maps, decoder, growing, self.activation, normed=ends, bias=spec.bias)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        before = self.encoder(channels_last(images))
        after = self.activation(before)
        code = widened(after if self.code_activated else before)
        return code.flatten(1), self.ending(widened(self.decoder(after)))


class _Discriminator(Discriminator):
    def __init__(self, spec: ConvDiscriminator, context: BuildContext) -> None:
        super().__init__()
        layers = [Layer(spec.width << index, 4, 2) for index in range(doublings(context.shape, "nets.discriminator"))]
        self.activation = nn.LeakyReLU(spec.slope)
        norm = [False, *[spec.batch_norm] * (len(layers) - 1)]
        self.trunk = chain(context.shape[0], layers, shrinking, self.activation, normed=norm, bias=spec.bias)
        self.logit = Convolution(layers[-1].maps, 1, 4, bias=spec.bias, padded=False)

    def forward(self, images: Tensor) -> Tensor:
        return widened(self.logit(self._maps(images))).flatten()

    def features(self, images: Tensor) -> Tensor:
        return widened(self._maps(images)).flatten(1)

    def _maps(self, images: Tensor) -> Tensor:
        maps: Tensor = self.activation(self.trunk(channels_last(images)))
        return maps
