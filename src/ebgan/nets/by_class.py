"""Nets with classes: one set of weights for all, and a learned shift of the input for each class.

    generator      G(z, y) = G(z + g_y)
    auto-encoder   E(x, y) = || AE(x + e_y) - x ||

A class-conditional energy, which the EBGAN paper leaves to later work (section 5). The shift of the noise is a mean of
its own for each class; that of the image is as large as the image. In a net that begins with a linear layer this is a
bias for each class, which is what a one-hot label beside the input would be. The nets are those of runs without
classes, whatever they are, so that both can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from ebgan.errors import UsageError, check_number
from ebgan.nets.base import (
    Autoencoder,
    BuildContext,
    ByClass,
    Classifier,
    DiscriminatorSpec,
    Generator,
    GeneratorSpec,
)
from ebgan.nets.layers import Dense, initialise, widened
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator


@final
@dataclass(frozen=True, kw_only=True)
class ClassGenerator(GeneratorSpec):
    """A generator whose noise is shifted by its class: the first of its noises, if it has several."""

    net: GeneratorSpec = MLPGenerator()
    std: float = 0.1  # of the initial shifts in each dimension; with 1, as wide as the noise, classes lost variety

    def __post_init__(self) -> None:
        check_number("nets.generator", "above 0", std=self.std)

    def build(self, context: BuildContext) -> Generator:
        check_classes("nets.generator", context)
        net = self.net.build(context)
        if not isinstance(net, Generator):
            raise UsageError(
                f"nets.generator.net: classes need a generator that starts from noise, which {type(self.net).__name__} "
                "does not: take MLPGenerator"
            )
        shifts = _Shifts(context, net.noise[0], "generator.classes", self.std)
        return _ClassGenerator(net, shifts, context.classes)


@final
@dataclass(frozen=True, kw_only=True)
class ClassAutoencoder(DiscriminatorSpec):
    """An auto-encoder that reads an image shifted by its class, and reconstructs the image without the shift."""

    net: DiscriminatorSpec = MLPAutoencoder()
    std: float = 0.1  # of the initial shifts, in each pixel, in the data's range

    def __post_init__(self) -> None:
        check_number("nets.discriminator", "above 0", std=self.std)

    def build(self, context: BuildContext) -> Autoencoder:
        check_classes("nets.discriminator", context)
        net = self.net.build(context)
        if not isinstance(net, Autoencoder) or isinstance(net, Classifier):
            raise UsageError(
                f"nets.discriminator.net: classes need an auto-encoder without a head of its own, which "
                f"{type(self.net).__name__} is not: take MLPAutoencoder"
            )
        shifts = _Shifts(context, context.shape, "discriminator.classes", self.std)
        return _ClassAutoencoder(net, shifts, context.classes)


def check_classes(owner: str, context: BuildContext) -> None:
    """Raise UsageError for data without classes."""
    if context.classes < 2:
        raise UsageError(f"{owner}: needs data whose images are labelled with two classes or more, or a net without")


class _Shifts(torch.nn.Module):
    """A learned tensor for each class."""

    def __init__(self, context: BuildContext, shape: tuple[int, ...], purpose: str, std: float) -> None:
        super().__init__()
        self.shape, self.classes = shape, context.classes
        self.rows = Dense(context.classes, torch.Size(shape).numel(), context.models, bias=False)
        initialise(self, context.randomness, purpose, std)
        self.to(context.device)

    def forward(self, labels: Tensor) -> Tensor:
        if labels.dim() == 0:  # one class for all inputs, and all models
            labels = labels.expand(*self.rows.weight.shape[:-2], 1)
        chosen = labels[..., None] == torch.arange(self.classes, device=labels.device)
        flat: Tensor = widened(self.rows(chosen.to(self.rows.weight.dtype)))
        return flat.reshape(*flat.shape[:-1], *self.shape)


class _ClassGenerator(Generator, ByClass):
    def __init__(self, net: Generator, shifts: _Shifts, classes: int) -> None:
        super().__init__()
        self.net, self.shifts, self.noise, self.classes = net, shifts, net.noise, classes

    def of(self, labels: Tensor) -> Generator:
        return _GeneratorOf(self.net, self.shifts(labels))

    def forward(self, *noise: Tensor) -> Tensor:  # noqa: ARG002
        raise UsageError("this generator needs a class for each sample: take ebgan.of_class(run, NAME), or run.sample")


class _GeneratorOf(Generator):
    """The generator of given classes."""

    def __init__(self, net: Generator, shift: Tensor) -> None:
        super().__init__()
        self.net, self.shift, self.noise = net, shift, net.noise

    def forward(self, *noise: Tensor) -> Tensor:
        first, *others = noise
        images: Tensor = self.net(first + self.shift, *others)
        return images


class _ClassAutoencoder(Autoencoder, ByClass):
    def __init__(self, net: Autoencoder, shifts: _Shifts, classes: int) -> None:
        super().__init__()
        self.net, self.shifts, self.classes = net, shifts, classes

    def of(self, labels: Tensor) -> Autoencoder:
        return _AutoencoderOf(self.net, self.shifts(labels))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Code and reconstruction under the class whose error is the least."""
        labels = torch.arange(self.classes, device=images.device)
        codes, reconstructions = zip(*(self.of(label)(images) for label in labels), strict=True)
        code, reconstruction = torch.stack(codes), torch.stack(reconstructions)
        best = (reconstruction - images).flatten(-3).square().sum(-1).argmin(0)[None]
        return (
            code.take_along_dim(best[..., None], 0)[0],
            reconstruction.take_along_dim(best[..., None, None, None], 0)[0],
        )


class _AutoencoderOf(Autoencoder):
    """The auto-encoder of given classes."""

    def __init__(self, net: Autoencoder, shift: Tensor) -> None:
        super().__init__()
        self.net, self.shift = net, shift

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        code, reconstruction = self.net(images + self.shift)
        return code, reconstruction
