"""The sizes of the VGAN paper's experiments at each scale: data, widths of nets, lengths of runs."""

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

HELD_OUT = {"mnist": 10_000, "cifar10": 10_000, "svhn": 13_257, "digits": 200}  # training images for validation
DIGITS_TESTED = 400  # digits used for testing, since they have no test set


@dataclass(frozen=True)
class ScaledRecipe:
    """The changes that a scale makes to a recipe."""

    epochs: float
    divide: int  # the number of feature maps is divided by this; features and codes keep their size
    seeds: int
    digits: bool = False  # whether the digits replace every set
    labels: int = 1000  # images with labels in table 2
    learning: int = 200  # epochs of table 2's classifier
    learner: int = 1  # its number of feature maps is divided by this
    validated: int | None = None  # images used to select its weights; None means all held-out images

    def source(self, source: str) -> str:
        """The set that is used in place of the paper's."""
        return "digits" if self.digits else source

    def of(self, made: Experiment, images: int) -> Experiment:
        """A recipe at this size for `images` training images, with one picture at the end."""
        seen = max(int(self.epochs * images), 1)
        data = replace(made.data, source=self.source(made.data.source))
        watched = replace(made.evaluation, pictures=seen, every=seen)
        nets = self.narrowed(made.nets)
        return replace(made, data=data, nets=nets, images=seen, evaluation=watched)

    def narrowed(self, nets: Nets) -> Nets:
        """The nets with fewer feature maps."""
        generator, discriminator = nets.generator, nets.discriminator
        assert isinstance(generator, VGANGenerator | VGANTransition)
        assert isinstance(discriminator, VGANExperts | VGANDiscriminator)
        return Nets(
            generator=replace(generator, width=max(generator.width // self.divide, 1)),
            discriminator=replace(discriminator, width=max(discriminator.width // self.divide, 1)),
        )

    def words(self) -> str:
        """The size as text, to be shown beside the numbers."""
        nets = f"feature maps divided by {self.divide}, " if self.divide > 1 else ""
        seeds = "1 seed" if self.seeds == 1 else f"{self.seeds} seeds"
        return f"{nets}{self.epochs:g} epochs, {seeds}"


SIZES: dict[Scale, ScaledRecipe] = {
    "tiny": ScaledRecipe(epochs=0.4, divide=16, seeds=1, digits=True, labels=100, learning=2, learner=16),
    "cpu": ScaledRecipe(epochs=10, divide=8, seeds=2, learning=60, learner=2, validated=2000),
    "paper": ScaledRecipe(epochs=100, divide=1, seeds=2),
}


def size_of(scale: Scale, seeds: int | None) -> ScaledRecipe:
    """The size of a scale, with another number of seeds if given. Raises UsageError if that is below 1."""
    if seeds is not None and seeds < 1:
        raise UsageError(f"--seeds {seeds}: expected at least 1")
    return replace(SIZES[scale], seeds=seeds or SIZES[scale].seeds)


class Parts(NamedTuple):
    """A data set divided into training, validation and test sets."""

    train: Packed
    validation: Packed
    test: Packed


def parts(source: str) -> Parts:
    """Split a set: the last training images become the validation set. Raises DataError if the set is missing."""
    whole = open_data(source)
    if source == "digits":
        whole, test = cut(whole, 0, len(whole) - DIGITS_TESTED), cut(whole, len(whole) - DIGITS_TESTED, len(whole))
    else:
        test = open_data(source, split="test")
    middle = len(whole) - HELD_OUT[source]
    return Parts(cut(whole, 0, middle), cut(whole, middle, len(whole)), test)


def joined(given: Parts) -> Packed:
    """Training and validation images together."""
    train, validation, _ = given
    assert train.labels is not None
    assert validation.labels is not None
    images = np.concatenate((train.images, validation.images))
    return Packed(images, np.concatenate((train.labels, validation.labels)), train.classes, train.name)


def cut(data: Packed, first: int, end: int) -> Packed:
    """The images from index `first` up to, not including, `end`."""
    labels = None if data.labels is None else data.labels[first:end]
    return Packed(data.images[first:end], labels, data.classes, data.name)


def pixels(data: Packed) -> Tensor:
    """All images [N, C, H, W] in [-1, 1]."""
    return scaled(torch.from_numpy(data.images.copy()), (-1.0, 1.0))
