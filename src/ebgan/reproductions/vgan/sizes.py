"""How large the VGAN paper's experiments are run: data, widths and lengths of each scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ebgan.data import Packed, open_data, scaled
from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Nets
from ebgan.nets.vgan import VGANDiscriminator, VGANExperts, VGANGenerator, VGANTransition
from ebgan.recipes.index import Scale

HELD_OUT = {"mnist": 10_000, "cifar10": 10_000, "svhn": 13_257, "digits": 200}  # of the training images
DIGITS_TESTED = 400  # digits have no test set of their own


@dataclass(frozen=True)
class ScaledRecipe:
    """What a scale makes of a recipe."""

    epochs: float
    divide: int  # feature maps by this; features and codes keep their number
    seeds: int
    digits: bool = False  # whether the digits stand in for every set
    labels: int = 1000  # images with labels in table 2
    learning: int = 200  # epochs of table 2's classifier
    learner: int = 1  # its feature maps by this
    validated: int | None = None  # images that select its weights; None is all that are held out

    def source(self, source: str) -> str:
        """The set that is taken for the paper's."""
        return "digits" if self.digits else source

    def of(self, made: Experiment, images: int) -> Experiment:
        """A recipe at this size, for so many training images: one picture, in the end."""
        seen = max(int(self.epochs * images), 1)
        data = replace(made.data, source=self.source(made.data.source))
        watched = replace(made.evaluation, pictures=seen, every=seen)
        nets = self.narrowed(made.nets)
        return replace(made, data=data, nets=nets, images=seen, evaluation=watched)

    def narrowed(self, nets: Nets) -> Nets:
        """The same nets with fewer feature maps."""
        generator, discriminator = nets.generator, nets.discriminator
        assert isinstance(generator, VGANGenerator | VGANTransition)
        assert isinstance(discriminator, VGANExperts | VGANDiscriminator)
        return Nets(
            generator=replace(generator, width=max(generator.width // self.divide, 1)),
            discriminator=replace(discriminator, width=max(discriminator.width // self.divide, 1)),
        )

    def words(self) -> str:
        """What the numbers are of, where the paper's are of something else."""
        nets = f"feature maps divided by {self.divide}, " if self.divide > 1 else ""
        seeds = "1 seed" if self.seeds == 1 else f"{self.seeds} seeds"
        return f"{nets}{self.epochs:g} epochs, {seeds}"


SIZES: dict[Scale, ScaledRecipe] = {
    "tiny": ScaledRecipe(epochs=0.4, divide=16, seeds=1, digits=True, labels=100, learning=2, learner=16),
    "cpu": ScaledRecipe(epochs=10, divide=8, seeds=2, learning=60, learner=2, validated=2000),
    "paper": ScaledRecipe(epochs=100, divide=1, seeds=2),
}


def size_of(scale: Scale, seeds: int | None) -> ScaledRecipe:
    """The size of a scale, with another number of seeds if one is asked for. Raises UsageError for none at all."""
    if seeds is not None and seeds < 1:
        raise UsageError(f"--seeds {seeds}: expected at least 1")
    return replace(SIZES[scale], seeds=seeds or SIZES[scale].seeds)


class Parts(NamedTuple):
    """A set in the paper's three parts."""

    train: Packed
    validation: Packed
    test: Packed


def parts(source: str) -> Parts:
    """Training images but the last, these for validation, and the test set. Raises DataError where there are none."""
    whole = open_data(source)
    if source == "digits":
        whole, test = cut(whole, 0, len(whole) - DIGITS_TESTED), cut(whole, len(whole) - DIGITS_TESTED, len(whole))
    else:
        test = open_data(source, split="test")
    middle = len(whole) - HELD_OUT[source]
    return Parts(cut(whole, 0, middle), cut(whole, middle, len(whole)), test)


def joined(given: Parts) -> Packed:
    """All training images, none held out."""
    train, validation, _ = given
    assert train.labels is not None
    assert validation.labels is not None
    images = np.concatenate((train.images, validation.images))
    return Packed(images, np.concatenate((train.labels, validation.labels)), train.classes, train.name)


def cut(data: Packed, first: int, end: int) -> Packed:
    """The images from one place to before another, in their order."""
    labels = None if data.labels is None else data.labels[first:end]
    return Packed(data.images[first:end], labels, data.classes, data.name)


def pixels(data: Packed) -> Tensor:
    """All images [N, C, H, W] in [-1, 1]."""
    return scaled(torch.from_numpy(data.images.copy()), (-1.0, 1.0))
