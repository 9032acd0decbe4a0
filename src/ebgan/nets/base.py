"""What a net is to the floors above: kinds of module, and the specs that build them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, is_dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ebgan.errors import UsageError
from ebgan.randomness import Randomness
from ebgan.records import Batch


@dataclass(frozen=True)
class BuildContext:
    """Where a net is built: the images that it meets and the models that it holds."""

    shape: tuple[int, int, int]  # C, H, W
    limits: tuple[float, float] | None  # the data's range, [-1, 1] or [0, 1]; None for points, which have none
    randomness: Randomness  # one seed a model; its device is the net's
    classes: int = 0  # that the data tells apart; 0 if it has none

    @property
    def models(self) -> tuple[int, ...]:
        """The model axis: () for one model, (k,) for a stack of k."""
        return tuple(self.randomness.seeds.shape)

    @property
    def device(self) -> torch.device:
        """Where the net is."""
        return self.randomness.seeds.device

    def check_single(self, owner: str) -> None:
        """Raise UsageError for a stack, of which a net without the model axis cannot be part."""
        if self.models:
            raise UsageError(
                f"{owner}: a convolutional net holds one model, not a stack of {math.prod(self.models)}: train the "
                "models one by one, or take a fully connected net (MLPGenerator, MLPAutoencoder, MLPDiscriminator)"
            )


class Generator(nn.Module, ABC):
    """Noise -> images in the data's range."""

    noise: tuple[tuple[int, ...], ...]  # the shape of each noise that a sample starts from

    @abstractmethod
    def forward(self, *noise: Tensor) -> Float[Tensor, "*models batch C H W"]:
        """Images from one tensor [*models, batch, *shape] for each entry of `noise`."""


class TransitionGenerator(nn.Module, ABC):
    """Images -> images in the data's range, by way of a code that a sampler may change between the two halves."""

    code: int  # dimensions of the code

    @abstractmethod
    def encode(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch code"]:
        """The code of each image, in [-1, 1]."""

    @abstractmethod
    def decode(self, code: Float[Tensor, "*models batch code"]) -> Float[Tensor, "*models batch C H W"]:
        """The image of each code."""

    def forward(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch C H W"]:
        """The reconstruction of each image, whose code is left as it is."""
        return self.decode(self.encode(images))


class Autoencoder(nn.Module, ABC):
    """Images -> code and reconstruction."""

    @abstractmethod
    def forward(
        self, images: Float[Tensor, "*models batch C H W"]
    ) -> tuple[Float[Tensor, "*models batch code"], Float[Tensor, "*models batch C H W"]]:
        """The encoder's output, flat, and the decoder's."""


class Discriminator(nn.Module, ABC):
    """Images -> logits of being real."""

    @abstractmethod
    def forward(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch"]:
        """Log D / (1 - D) of each image."""

    @abstractmethod
    def features(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch features"]:
        """The layer below the logit."""


class Experts(nn.Module, ABC):
    """Images -> the logits of experts, each of which decides for itself."""

    @abstractmethod
    def forward(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch experts"]:
        """One logit an expert."""

    @abstractmethod
    def features(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch features"]:
        """The layer below the experts."""


class Classifier(nn.Module, ABC):
    """Images -> logits of the data's classes: what a net of another kind may do as well."""

    @abstractmethod
    def classify(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch classes"]:
        """One logit a class."""

    def observe(self, batch: Batch) -> None:
        """Take from a batch of data what the net will need in evaluation; by default nothing."""


class Denoiser(Autoencoder, Classifier):
    """An auto-encoder with noise on every layer, which it takes away again on every layer (Ladder network)."""

    @property
    @abstractmethod
    def layers(self) -> int:
        """How many layers there are, the pixels and the classes among them."""

    @abstractmethod
    def denoise(self, images: Float[Tensor, "*models batch C H W"], layers: int) -> Denoised:
        """The lowest `layers` layers of images, the pixels first: as guessed from noise, and without any."""

    @abstractmethod
    def encode(self, images: Float[Tensor, "*models batch C H W"]) -> Float[Tensor, "*models batch code"]:
        """The code of images without noise."""


class Denoised(NamedTuple):
    """What a denoiser makes of images."""

    code: Tensor  # [*models, batch, code]
    estimates: tuple[Tensor, ...]  # [*models, batch, units] of each layer: what it was before the noise, as guessed
    clean: tuple[Tensor, ...]  # the same without noise, in the same units


class GeneratorSpec(ABC):
    """The settings of a generator, of noise or of transitions."""

    @abstractmethod
    def build(self, context: BuildContext) -> Generator | TransitionGenerator:
        """The net, initialised, on the site's device."""


def check_spec(owner: str, spec: object, kind: type) -> None:
    """Raise UsageError for what is no spec of a kind, such as a module."""
    if isinstance(spec, kind) and is_dataclass(spec):
        return
    what = f"the class {spec.__name__}" if isinstance(spec, type) else f"of the class {type(spec).__name__}"
    if isinstance(spec, type) and issubclass(spec, kind):
        mend = f"give an instance: {spec.__name__}()"
    elif isinstance(spec, kind):
        mend = "make its class a dataclass: @dataclass(frozen=True, kw_only=True)"
    else:
        mend = (
            f"give a {kind.__name__}, a frozen dataclass of settings whose build(site) makes the module "
            "(docs/extending.md, A net)"
        )
    raise UsageError(f"{owner}: is {what}: {mend}")


class DiscriminatorSpec(ABC):
    """The settings of a discriminator's net, an auto-encoder, a classifier or experts."""

    @abstractmethod
    def build(self, context: BuildContext) -> Autoencoder | Discriminator | Experts:
        """The net, initialised, on the site's device."""
