"""The probabilistic GAN (Goodfellow et al., 2014), the baseline: E(x) = -log D(x).

    discriminator   -log D(x) - log(1 - D(G(z)))
    generator       -log D(G(z))         non-saturating, the default
                    log(1 - D(G(z)))     saturating: the minimax game

All terms are computed from logits by softplus, and so are finite at any logit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor

from ebgan.errors import UsageError
from ebgan.objectives.base import Asks, Objective, Stateless
from ebgan.objectives.terms import cross_entropy
from ebgan.records import Batch, Losses, Reading, Sample


@final
@dataclass(frozen=True, kw_only=True)
class GAN(Objective[Stateless]):
    """Binary cross-entropy for the discriminator; the non-saturating or saturating loss for the generator."""

    saturating: bool = False

    def discriminator(self, state: Stateless, real: Reading, fake: Reading, batch: Batch) -> Losses:
        return Losses.of(real=cross_entropy(_logits(real), real=True), fake=cross_entropy(_logits(fake), real=False))

    def generator(self, state: Stateless, fake: Reading, sample: Sample) -> Losses:
        if self.saturating:
            return Losses.of(fake=-cross_entropy(_logits(fake), real=False))
        return Losses.of(fake=cross_entropy(_logits(fake), real=True))

    @property
    def asks(self) -> Asks:
        return Asks(needs=frozenset({"logits"}))


def _logits(reading: Reading) -> Tensor:
    if reading.logits is None:
        raise UsageError("GAN needs an energy with logits: use the logistic energy, or EBGAN for an auto-encoder's")
    return reading.logits
