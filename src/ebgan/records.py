"""What passes between floors: the batch, the sample, the reading, the losses and their means.

Every tensor may lead with a model axis: `[*models, batch, ...]`, where `models` is `()` for one model and `(k,)` for
a stack of k models that are trained at once. Objectives reduce the batch axis alone.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Batch(NamedTuple):
    """What the loader served."""

    images: Tensor  # [*models, batch, C, H, W] in the data's range
    labels: Tensor | None = None  # [*models, batch] int64
    labelled: Batch | None = None  # a small batch of its own, with its own pass and statistics (Ladder)


class Sample(NamedTuple):
    """What a sampler made, and the data that the generator's turn compares it with."""

    images: Tensor  # [*models, batch, C, H, W]
    source: Tensor | None = None  # the images that the samples were conditioned on (VCD)
    reconstruction: Tensor | None = None  # the same images through the generator without noise (VCD)
    negatives: Tensor | None = None  # replayed samples that the discriminator alone sees
    data: Reading | None = None  # of as many real images, if the objective compares samples with data


class Reading(NamedTuple):
    """What an energy function saw and said."""

    images: Tensor  # [*models, batch, C, H, W]; of this rank alone unless the objective reads images
    energy: Tensor  # [*models, batch] float32, low where the data is
    code: Tensor | None = None  # [*models, batch, code], the encoder's output, flat
    logits: Tensor | None = None  # [*models, batch] of log D / (1 - D), where the energy is -log D


class Losses(NamedTuple):
    """A player's loss, and the named terms that it is the sum of."""

    total: Tensor  # [*models]
    terms: dict[str, Tensor]  # each [*models]

    @classmethod
    def of(cls, **terms: Tensor) -> Losses:
        """The sum of the given terms, which are kept by name."""
        first, *others = terms.values()
        return cls(sum(others, start=first), terms)

    def plus(self, other: Losses) -> Losses:
        """The sum of two losses, with the terms of both."""
        return Losses(self.total + other.total, self.terms | other.terms)


class Means(NamedTuple):
    """What a step's energies were on average, the same on every rank."""

    real: Tensor  # [*models], mean energy of the data in the discriminator's turn, the last of several
    fake: Tensor  # [*models], mean energy of the samples in the generator's turn, the last of several
    images: Tensor  # [] int64, real images that the discriminator has read: the clock of schedules and epochs
