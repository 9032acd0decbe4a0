"""Least-squares GAN (Mao et al., 2017), a baseline. Not the loss-sensitive GAN, which has the same initials.

    discriminator   1/2 (D(x) - b)^2 + 1/2 (D(G(z)) - a)^2        a = 0, b = 1
    generator       1/2 (D(G(z)) - c)^2                           c = 1

D is the negative energy: the output of the discriminator's net with ScalarEnergy().
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
    """Regress the scores of data and samples onto three target values."""

    fake: float = 0.0  # a, the discriminator's target for samples
    real: float = 1.0  # b, its target for the data
    aim: float = 1.0  # c, the generator's target for samples

    def __post_init__(self) -> None:
        check_number("objective", "that is finite", fake=self.fake, real=self.real, aim=self.aim)

    def discriminator(self, state: Stateless, real: Reading, fake: Reading, batch: Batch) -> Losses:
        return Losses.of(real=_miss(real, self.real), fake=_miss(fake, self.fake))

    def generator(self, state: Stateless, fake: Reading, sample: Sample) -> Losses:
        return Losses.of(fake=_miss(fake, self.aim))


def _miss(reading: Reading, target: Number) -> Tensor:
    return (-reading.energy - per_model(target, 1)).square().mean(-1) / 2
