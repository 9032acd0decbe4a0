"""The interfaces of nets, and of the specs that build them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, is_dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from ebgan.errors import UsageError
from ebgan.randomness import Randomness
from ebgan.records import Batch


@dataclass(frozen=True)
class BuildContext:
    """Everything that a spec needs to build a net: images, models, seeds and device."""

    shape: tuple[int, int, int]  # C, H, W
    limits: tuple[float, float] | None  # the data's range, [-1, 1] or [0, 1]; None for points
    randomness: Randomness  # one seed for each model; its device is the net's
    classes: int = 0  # number of classes of the data; 0 if it has none

    @property
    def models(self) -> tuple[int, ...]:
        """The model axis: () for one model, (k,) for a stack of k."""
        return tuple(self.randomness.seeds.shape)

    @property
    def device(self) -> torch.device:
        """The device of the net."""
        return self.randomness.seeds.device

    def check_single(self, owner: str) -> None:
        """Raise UsageError for a stack, if the net has no model axis."""
        if self.models:
            raise UsageError(
                f"{owner}: convolutional nets cannot be stacked ({math.prod(self.models)} models): train the models "
                "one by one, or choose a fully connected net (MLPGenerator, MLPAutoencoder, MLPDiscriminator)"
            )


class Generator(nn.Module, ABC):
    """Noise -> images in the data's range."""

    noise: tuple[tuple[int, ...], ...]  # the shape of each noise input

    @abstractmethod
    def forward(self, *noise: Tensor) -> Float[Tensor, "*models batch C H W"]:
        """Images from one tensor [*models, batch, *shape] for each entry of `noise`."""


class ByClass(nn.Module, ABC):
    """A net that computes something else for each class. A net of another kind may also be one by class."""

    classes: int

    @abstractmethod
    def of(self, labels: Integer[Tensor, "*any"]) -> nn.Module:
        """The net of these classes: of one class [], or of a class for each input [*models, batch].

        It is a net of the same kind without classes, which shares the weights and is to be used at once.
        """


class TransitionGenerator(nn.Module, ABC):
    """Images -> images in the data's range, through a code that a sampler may change."""

    code: int  # dimensions of the code

    @abstractmethod
    def encode(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch code"]:
        """The code of each image, in [-1, 1]."""

    @abstractmethod
    def decode(self, code: Float[Tensor, "*models batch code"]) -> Float[Tensor, "*models batch C H W"]:
        """The image of each code."""

    def forward(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch C H W"]:
        """The reconstruction of each image, from its unchanged code."""
        return self.decode(self.encode(images))


class Autoencoder(nn.Module, ABC):
    """Images -> code and reconstruction."""

    @abstractmethod
    def forward(
        self, images: Float[Tensor, "*models batch C H W"]
    ) -> tuple[Float[Tensor, "*models batch code"], Float[Tensor, "*models batch C H W"]]:
        """The encoder's output, flattened, and the decoder's output."""


class Spherical(Autoencoder):
    """An auto-encoder whose codes have length 1 and whose decoder can be called alone: chains may start there."""

    code: int  # units

    @abstractmethod
    def decode(self, code: Float[Tensor, "*models batch code"]) -> Float[Tensor, "*models batch C H W"]:
        """The image of each code."""


class Discriminator(nn.Module, ABC):
    """Images -> logits of being real."""

    @abstractmethod
    def forward(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch"]:
        """Log D / (1 - D) of each image."""

    @abstractmethod
    def features(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch features"]:
        """The features from which the logit is computed."""


class Experts(nn.Module, ABC):
    """Images -> logits of independent experts."""

    @abstractmethod
    def forward(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch experts"]:
        """One logit for each expert."""

    @abstractmethod
    def features(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch features"]:
        """The features from which the logits are computed."""


class Classifier(nn.Module, ABC):
    """Images -> logits of the data's classes. A net of another kind may also be a classifier."""

    @abstractmethod
    def classify(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch classes"]:
        """One logit for each class."""

    def observe(self, batch: Batch) -> None:
        """Update statistics of the data that evaluation needs; by default none."""


class Denoiser(Autoencoder, Classifier):
    """An auto-encoder that adds noise to every layer and removes it from every layer (Ladder network)."""

    @property
    @abstractmethod
    def layers(self) -> int:
        """The number of layers, including pixels and classes."""

    @abstractmethod
    def denoise(self, images: Float[Tensor, "*models batch C H W"], layers: int) -> Denoised:
        """The lowest `layers` layers, the pixels first: estimated from the noisy pass, and from the clean pass."""

    @abstractmethod
    def encode(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch code"]:
        """The code of images without noise."""


class Denoised(NamedTuple):
    """The output of a denoiser."""

    code: Tensor  # [*models, batch, code]
    estimates: tuple[Tensor, ...]  # [*models, batch, units] of each layer: estimates from the noisy pass
    clean: tuple[Tensor, ...]  # the values without noise, in the same units


class GeneratorSpec(ABC):
    """The settings of a generator, of noise or of transitions."""

    @abstractmethod
    def build(self, context: BuildContext) -> Generator | TransitionGenerator:
        """Build the initialised net on the context's device."""


def check_spec(owner: str, spec: object, kind: type) -> None:
    """Raise UsageError if `spec` is not an instance of `kind`, such as a module."""
    if isinstance(spec, kind) and is_dataclass(spec):
        return
    what = f"the class {spec.__name__}" if isinstance(spec, type) else f"of the class {type(spec).__name__}"
    if isinstance(spec, type) and issubclass(spec, kind):
        mend = f"give an instance: {spec.__name__}()"
    elif isinstance(spec, kind):
        mend = "make its class a dataclass: @dataclass(frozen=True, kw_only=True)"
    else:
        mend = (
            f"give a {kind.__name__}, a frozen dataclass of settings whose build(context) makes the module "
            "(docs/extending.md, A net)"
        )
    raise UsageError(f"{owner}: is {what}: {mend}")


class DiscriminatorSpec(ABC):
    """The settings of a discriminator's net, an auto-encoder, a classifier or experts."""

    @abstractmethod
    def build(self, context: BuildContext) -> Autoencoder | Discriminator | Experts:
        """Build the initialised net on the context's device."""
