"""The fully connected nets of the grid search (EBGAN, section 4.1 and appendix C).

Depth is counted as in the paper, by weight layers: a generator of depth 5 has 4 hidden layers and an output; an
auto-encoder of depth 2 has 1 encoder layer and 1 decoder layer; a discriminator of depth 2 has 1 hidden layer and 1
logit. ReLU; batch norm after each weight layer except the generator's last and the discriminator's first; weights
N(0, 0.02^2) in the generator and N(0, 0.002^2) in the discriminator, biases 0.

Not stated in the paper: read literally, its rule also puts batch norm on the decoder's output and on the logit
(`output_norm`, off, as in the DCGAN code); dropout follows each hidden activation of the discriminator; the decoder's
output is linear; the noise has 100 dimensions. MAGAN's, BEGAN's, VGAN's and WGAN-GP's discriminators have no batch norm
(`batch_norm`).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import final

from torch import Tensor, nn

from ebgan.errors import check_least, check_most, check_number
from ebgan.nets.base import (
    Autoencoder,
    BuildContext,
    Discriminator,
    DiscriminatorSpec,
    Experts,
    Generator,
    GeneratorSpec,
)
from ebgan.nets.layers import DEEPEST, BatchNorm, Dense, Dropout, initialise, widened
from ebgan.nets.output import Output, ending, squash
from ebgan.numbers import Number, is_used


@final
@dataclass(frozen=True, kw_only=True)
class MLPGenerator(GeneratorSpec):
    """`depth` weight layers, hidden ones of `width` units with batch norm and ReLU, an output in the data's range."""

    depth: int = 5  # weight layers, at least 2
    width: int = 800  # hidden units
    noise: int = 100  # dimensions of z
    batch_norm: bool = True  # on the hidden layers
    std: float = 0.02  # of the initial weights

    def build(self, context: BuildContext) -> Generator:
        return initialise(_Generator(self, context), context.randomness, "generator", self.std)

    def __post_init__(self) -> None:
        _check("nets.generator", self)
        check_least("nets.generator", 1, noise=self.noise)


@final
@dataclass(frozen=True, kw_only=True)
class MLPAutoencoder(DiscriminatorSpec):
    """`depth` - 1 encoder layers of `width` units and one decoder layer; the code is the encoder's last activation."""

    depth: int = 2  # weight layers, at least 2
    width: int = 1024  # hidden units, and the size of the code
    dropout: float = 0.0  # share of hidden units dropped while training
    output: Output = "linear"  # the decoder's last nonlinearity: none, or the one whose range is the data's
    batch_norm: bool = True  # on the hidden layers except the first
    output_norm: bool = False  # batch norm on the decoder's output
    code_activated: bool = True  # whether the code (for the pulling-away term) is taken after the ReLU
    std: float = 0.002  # of the initial weights

    def build(self, context: BuildContext) -> Autoencoder:
        return initialise(_Autoencoder(self, context), context.randomness, "discriminator", self.std)

    def __post_init__(self) -> None:
        _check("nets.discriminator", self)


@final
@dataclass(frozen=True, kw_only=True)
class MLPDiscriminator(DiscriminatorSpec):
    """`depth` - 1 hidden layers of `width` units and one logit: the discriminator of the probabilistic GAN."""

    depth: int = 2  # weight layers, at least 2
    width: int = 1024  # hidden units
    dropout: float = 0.0  # share of hidden units dropped while training
    batch_norm: bool = True  # on the hidden layers except the first
    output_norm: bool = False  # batch norm on the logit
    std: float = 0.002  # of the initial weights

    def build(self, context: BuildContext) -> Discriminator:
        return initialise(_Discriminator(self, context), context.randomness, "discriminator", self.std)

    def __post_init__(self) -> None:
        _check("nets.discriminator", self)


@final
@dataclass(frozen=True, kw_only=True)
class MLPExperts(DiscriminatorSpec):
    """`depth` - 1 hidden layers of `width` units and one logit per expert (VGAN); no batch norm, as in its code."""

    depth: int = 2  # weight layers, at least 2
    width: int = 1024  # hidden units
    experts: int = 100  # logits: the paper's number; the authors' code takes 128
    dropout: float = 0.0  # share of hidden units dropped while training
    batch_norm: bool = False  # on the hidden layers except the first
    std: float = 0.04  # of the initial weights, about Glorot's: with small weights experts near 1/2 hardly learn

    def build(self, context: BuildContext) -> Experts:
        return initialise(_Experts(self, context), context.randomness, "discriminator", self.std)

    def __post_init__(self) -> None:
        _check("nets.discriminator", self)
        check_least("nets.discriminator", 1, experts=self.experts)


class _Generator(Generator):
    def __init__(self, spec: MLPGenerator, context: BuildContext) -> None:
        super().__init__()
        self.shape, self.squash, self.noise = context.shape, squash(context.limits), ((spec.noise,),)
        sizes = [spec.noise] + [spec.width] * (spec.depth - 1)
        hidden: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(sizes):
            hidden += [Dense(inputs, outputs, context.models), _norm(spec.batch_norm, outputs, context), nn.ReLU()]
        self.hidden = nn.Sequential(*hidden)
        self.output = Dense(spec.width, math.prod(context.shape), context.models)

    def forward(self, *noise: Tensor) -> Tensor:
        (z,) = noise
        flat: Tensor = self.output(self.hidden(z))
        return _images(self.squash(widened(flat)), self.shape)


class _Autoencoder(Autoencoder):
    def __init__(self, spec: MLPAutoencoder, context: BuildContext) -> None:
        super().__init__()
        pixels = math.prod(context.shape)
        self.shape, self.code_activated = context.shape, spec.code_activated
        self.squash = ending(spec.output, context.limits)
        self.trunk = _trunk(spec, context)
        self.dropout = _dropout(spec.dropout, context, "code")
        self.decoder = Dense(spec.width, pixels, context.models)
        self.norm = _norm(spec.output_norm, pixels, context)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        before = self.trunk(images.flatten(-3))
        after = before.relu()
        flat: Tensor = self.norm(self.decoder(self.dropout(after)))
        return widened(after if self.code_activated else before), _images(self.squash(widened(flat)), self.shape)


class _Discriminator(Discriminator):
    def __init__(self, spec: MLPDiscriminator, context: BuildContext) -> None:
        super().__init__()
        self.trunk = _trunk(spec, context)
        self.dropout = _dropout(spec.dropout, context, "features")
        self.logit = Dense(spec.width, 1, context.models)
        self.norm = _norm(spec.output_norm, 1, context)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.norm(self.logit(self.dropout(self.features(images))))
        return widened(logits).squeeze(-1)

    def features(self, images: Tensor) -> Tensor:
        hidden: Tensor = self.trunk(images.flatten(-3))
        return hidden.relu()


class _Experts(Experts):
    def __init__(self, spec: MLPExperts, context: BuildContext) -> None:
        super().__init__()
        self.trunk = _trunk(spec, context)
        self.dropout = _dropout(spec.dropout, context, "features")
        self.experts = Dense(spec.width, spec.experts, context.models)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.experts(self.dropout(self.features(images)))
        return widened(logits)

    def features(self, images: Tensor) -> Tensor:
        hidden: Tensor = self.trunk(images.flatten(-3))
        return hidden.relu()


def _trunk(spec: MLPAutoencoder | MLPDiscriminator | MLPExperts, context: BuildContext) -> nn.Sequential:
    """All hidden layers of a discriminator up to, but without, the last one's ReLU."""
    layers: list[nn.Module] = [Dense(math.prod(context.shape), spec.width, context.models)]
    for index in range(spec.depth - 2):
        layers += [nn.ReLU(), _dropout(spec.dropout, context, f"hidden{index}")]
        layers += [Dense(spec.width, spec.width, context.models), _norm(spec.batch_norm, spec.width, context)]
    return nn.Sequential(*layers)


def _norm(wanted: bool, features: int, context: BuildContext) -> nn.Module:
    return BatchNorm(features, context.models) if wanted else nn.Identity()


def _dropout(rate: Number, context: BuildContext, index: str) -> nn.Module:
    return Dropout(rate, context.randomness, f"dropout.{index}") if is_used(rate) else nn.Identity()


def _images(flat: Tensor, shape: tuple[int, int, int]) -> Tensor:
    return flat.reshape(*flat.shape[:-1], *shape)


def _check(owner: str, spec: MLPGenerator | MLPAutoencoder | MLPDiscriminator | MLPExperts) -> None:
    check_least(owner, 2, depth=spec.depth)
    check_least(owner, 1, width=spec.width)
    check_most(owner, DEEPEST, depth=spec.depth)
    check_number(owner, "above 0", std=spec.std)
    check_number(owner, "from 0 to below 1", dropout=0.0 if isinstance(spec, MLPGenerator) else spec.dropout)
