"""Least-squares GAN (Mao et al., 2017), a baseline. It is not the loss-sensitive GAN of the same initials.

    discriminator   1/2 (D(x) - b)^2 + 1/2 (D(G(z)) - a)^2        a = 0, b = 1
    generator       1/2 (D(G(z)) - c)^2                           c = 1

D is the negative energy, the score of a critic's net under ScalarEnergy().
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor

from ebgan.errors import check_number
from ebgan.numbers import Number, per_model
from ebgan.objectives.base import Objective, Stateless
from ebgan.records import Batch, Losses, Reading, Sample


@final
@dataclass(frozen=True, kw_only=True)
class LeastSquaresGAN(Objective[Stateless]):
    """Scores are regressed onto three numbers."""

    fake: float = 0.0  # a, what the discriminator makes of samples
    real: float = 1.0  # b, what it makes of the data
    aim: float = 1.0  # c, what the generator wants it to make of samples

    def __post_init__(self) -> None:
        check_number("objective", "that is finite", fake=self.fake, real=self.real, aim=self.aim)

    def discriminator(self, state: Stateless, real: Reading, fake: Reading, batch: Batch) -> Losses:
        return Losses.of(real=_miss(real, self.real), fake=_miss(fake, self.fake))

    def generator(self, state: Stateless, fake: Reading, sample: Sample) -> Losses:
        return Losses.of(fake=_miss(fake, self.aim))


def _miss(reading: Reading, target: Number) -> Tensor:
    return (-reading.energy - per_model(target, 1)).square().mean(-1) / 2
