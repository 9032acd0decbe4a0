"""Wasserstein GAN with a gradient penalty (Gulrajani et al., 2017), a baseline.

    discriminator   E(x) - E(G(z)) + w (||dE(y)/dy||_2 - 1)^2,     y = u x + (1 - u) G(z),   u ~ U(0, 1)
    generator       E(G(z))

E is the negative score of a critic, ScalarEnergy(). The paper gives w = 10, 5 turns of the critic for each of the
generator's (`turns.discriminator`) and no batch norm in the critic, since with it the gradient at one image would
depend on the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor

from ebgan.errors import check_number
from ebgan.objectives.base import Asks, Objective, Place, Stateless
from ebgan.records import Batch, Losses, Reading, Sample


@final
@dataclass(frozen=True, kw_only=True)
class WGANGP(Objective[Stateless]):
    """The difference of mean energies, and a penalty that holds the slope between data and samples at 1."""

    gradient_penalty: float = 10.0  # weight w of the penalty

    def __post_init__(self) -> None:
        check_number("objective", "of 0 or more", gradient_penalty=self.gradient_penalty)

    def discriminator(self, state: Stateless, real: Reading, fake: Reading, batch: Batch) -> Losses:
        return Losses.of(real=real.energy.mean(-1), fake=-fake.energy.mean(-1))

    def penalty(self, state: Stateless, place: Place, slopes: Tensor) -> Losses:
        return Losses.of(gradient_penalty=self.gradient_penalty * (slopes - 1).square().mean(-1))

    def generator(self, state: Stateless, fake: Reading, sample: Sample) -> Losses:
        return Losses.of(fake=fake.energy.mean(-1))

    @property
    def asks(self) -> Asks:
        return Asks(slopes={"between": 1})
