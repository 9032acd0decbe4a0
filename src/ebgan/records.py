"""Records that modules exchange: batch, sample, reading, losses and mean energies.

Every tensor may lead with a model axis: `[*models, batch, ...]`, where `models` is `()` for one model and `(k,)` for
a stack of k models trained together. Objectives reduce only the batch axis.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Batch(NamedTuple):
    """A batch of the loader."""

    images: Tensor  # [*models, batch, C, H, W] in the data's range
    labels: Tensor | None = None  # [*models, batch] int64
    labelled: Batch | None = None  # a small batch of its own, with its own pass and statistics (Ladder)


class Sample(NamedTuple):
    """A batch of samples, and the data that the generator's turn compares it with."""

    images: Tensor  # [*models, batch, C, H, W]
    source: Tensor | None = None  # the images that the samples were conditioned on (VCD)
    reconstruction: Tensor | None = None  # the same images through the generator without noise (VCD)
    negatives: Tensor | None = None  # shown to the discriminator instead of `images`
    labels: Tensor | None = None  # [*models, batch] int64, the classes that the samples are of
    data: Reading | None = None  # of as many real images, if the objective compares samples with data


class Reading(NamedTuple):
    """What an energy function computed from images."""

    images: Tensor  # [*models, batch, C, H, W]; this rank's only, unless the objective reads images
    energy: Tensor  # [*models, batch] float32, low where the data is
    code: Tensor | None = None  # [*models, batch, code], the encoder's output, flat
    logits: Tensor | None = None  # [*models, batch] of log D / (1 - D), where the energy is -log D


class Losses(NamedTuple):
    """A player's loss: the sum of named terms."""

    total: Tensor  # [*models]
    terms: dict[str, Tensor]  # each [*models]

    @classmethod
    def of(cls, **terms: Tensor) -> Losses:
        """The losses with these terms."""
        first, *others = terms.values()
        return cls(sum(others, start=first), terms)

    def plus(self, other: Losses) -> Losses:
        """The sum of two losses, with the terms of both."""
        return Losses(self.total + other.total, self.terms | other.terms)


class Means(NamedTuple):
    """Mean energies of a step, the same on every rank."""

    real: Tensor  # [*models], mean energy of the data in the discriminator's turn, the last of several
    fake: Tensor  # [*models], mean energy of the samples in the generator's turn, the last of several
    images: Tensor  # [] int64, real images that the discriminator has read: the clock of schedules and epochs
