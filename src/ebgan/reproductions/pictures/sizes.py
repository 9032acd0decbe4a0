"""The sizes of picture recipes at each scale: widths of nets, lengths of runs, data.

The length depends on the size of the images: at `cpu`, each run takes about twenty minutes on one core. At `tiny` the
enlarged digits of scikit-learn replace the pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ebgan.data import Images, from_array, open_data
from ebgan.experiment import Experiment, Nets
from ebgan.nets.base import DiscriminatorSpec, GeneratorSpec
from ebgan.nets.began import BEGANAutoencoder, BEGANGenerator
from ebgan.nets.dcgan import ConvAutoencoder, ConvDiscriminator, ConvGenerator
from ebgan.nets.imagenet import NoisyGenerator
from ebgan.nets.notation import parse, show
from ebgan.recipes.index import Scale

DIGITS = 64  # number of digits that replace the pictures

Net = TypeVar("Net", GeneratorSpec, DiscriminatorSpec)


@dataclass(frozen=True)
class Length:
    """The length of a run, in images seen, and the width of its nets."""

    images: int
    checkpoint: int  # between checkpoints
    pictures: int  # between pictures
    divide: int = 2  # the number of feature maps is divided by this
    divide_began: int = 8  # the same for BEGAN's nets, which have as many maps at every resolution
    batch: int | None = None  # None keeps the recipe's

    def narrowed(self, nets: Nets) -> Nets:
        """The nets with fewer feature maps."""
        return Nets(generator=self._narrowed(nets.generator), discriminator=self._narrowed(nets.discriminator))

    def _narrowed(self, net: Net) -> Net:
        if isinstance(net, ConvAutoencoder):
            layers = [layer._replace(maps=max(layer.maps // self.divide, 1)) for layer in parse(net.encoder, "encoder")]
            return replace(net, encoder=show(layers))
        if isinstance(net, BEGANGenerator | BEGANAutoencoder):
            return replace(net, width=max(net.width // self.divide_began, 1))
        assert isinstance(net, ConvGenerator | ConvDiscriminator | NoisyGenerator)
        return replace(net, width=max(net.width // self.divide, 1))


class Counted(NamedTuple):
    """The numbers of samples used to judge a run."""

    shown: int  # in a panel, and for the distances between samples
    before: int = 0  # for FID and KID after the first two thirds
    after: int = 0  # for FID and KID at the end; 0 if they are not measured


LOOKS = {64: Counted(100, 1000, 5000), 128: Counted(36, 500, 2000), 256: Counted(16, 200, 500)}  # by side: memory


@dataclass(frozen=True)
class ScaledRecipe:
    """The changes that a scale makes to a recipe."""

    lengths: dict[int, Length] = field(default_factory=dict)  # by the side of the images; the recipe's own if not here
    digits: bool = False  # whether the digits replace every set
    looks: dict[int, Counted] = field(default_factory=LOOKS.copy)  # by the side of the images

    def of(self, made: Experiment) -> Experiment:
        """A recipe at this size."""
        side = side_of(made)
        if self.digits:
            made = replace(made, data=replace(made.data, source="digits"))
        if side not in self.lengths:
            return made
        length = self.lengths[side]
        return replace(
            made,
            nets=length.narrowed(made.nets),
            batch=length.batch or made.batch,
            images=length.images,
            pretraining=min(made.pretraining or 0, length.images // 4),
            checkpoint=length.checkpoint,
            evaluation=replace(made.evaluation, pictures=length.pictures),
        )

    def stand_in(self, made: Experiment) -> NDArray[np.uint8] | None:
        """The images [N, 1, side, side] that replace a recipe's data, or None if it uses its own."""
        if not self.digits:
            return None
        assert made.data.size is not None
        digits = open_data("digits").images[:DIGITS]
        times = made.data.size // digits.shape[-1]
        return digits.repeat(times, 2).repeat(times, 3)

    def open(self, made: Experiment) -> Images:
        """Open the training images of a recipe. Raises DataError if they are not available."""
        stand_in = self.stand_in(made)
        opened = made.data.open() if stand_in is None else made.data.prepared(from_array(stand_in, name="digits"))
        assert isinstance(opened, Images)
        return opened


SIZES: dict[Scale, ScaledRecipe] = {
    "tiny": ScaledRecipe(
        lengths={
            64: Length(24, 8, 24, 16, 64, batch=4),
            128: Length(24, 8, 24, 16, batch=4),
            256: Length(12, 4, 12, 16, batch=4),
        },
        digits=True,
        looks=dict.fromkeys(LOOKS, Counted(16)),
    ),
    "cpu": ScaledRecipe(
        lengths={
            64: Length(192_000, 32_000, 16_000),
            128: Length(19_200, 6_400, 3_200, batch=16),
            256: Length(12_800, 3_200, 1_600, divide=4, batch=16),
        },
    ),
    "paper": ScaledRecipe(),
}


def side_of(made: Experiment) -> int:
    """Height and width of the images that a recipe trains on."""
    side = made.data.crop or made.data.size
    assert side is not None
    return side
