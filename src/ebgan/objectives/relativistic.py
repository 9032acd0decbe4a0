"""Relativistic losses: how much lower the energy of the data is than that of samples (Jolicoeur-Martineau, 2019).

    paired, as RpGAN and R3GAN (Huang et al., 2024)
    discriminator   f(m + E(x) - E(G(z)))
    generator       f(m + E(G(z)) - E(x))

    averaged, as RaGAN
    discriminator   f(m + E(x) - mean E(G(z))) + f(m + mean E(x) - E(G(z)))
    generator       f(m + E(G(z)) - mean E(x)) + f(m + mean E(G(z)) - E(x))

    f(a) = softplus(a) = log(1 + e^a),   or the hinge [a]_+

Both players read data and samples; in the generator's turn the images are those of the discriminator's last. E is any
energy; in the papers it is the negative score of a critic, ScalarEnergy(). m is 0 with softplus and 1 with the hinge
there. Pairs are formed by their places in the batch, means are over the batch of all ranks. The two sums of RaGAN are
those of the paper; its code takes half of them.

With the hinge and m the paired discriminator is LS-GAN's, its distance of a pair being the constant m and its weight of
the data 0; LS-GAN's generator descends E(G(z)), which has the same gradient wherever the pair's hinge is not at rest.

R3GAN is `Regularised(inner=Relativistic(), data=gamma, samples=gamma)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from torch import Tensor
from torch.nn.functional import softplus

from ebgan.errors import UsageError, check_number
from ebgan.numbers import per_model
from ebgan.objectives.base import Asks, Objective, Stateless
from ebgan.records import Batch, Losses, Reading, Sample


@final
@dataclass(frozen=True, kw_only=True)
class Relativistic(Objective[Stateless]):
    """The energy of data against that of samples, in pairs or against the mean, for both players."""

    loss: Literal["softplus", "hinge"] = "softplus"
    against: Literal["pair", "mean"] = "pair"  # the other kind's energy at the same place of the batch, or its mean
    margin: float = 0.0  # m, in units of the energy; the hinge needs one

    def __post_init__(self) -> None:
        check_number("objective", "of 0 or more", margin=self.margin)
        if self.loss == "hinge" and self.margin == 0:
            raise UsageError(
                "objective.margin=0.0: with the hinge, energies that are all alike would cost nothing: choose a "
                "number above 0 (the paper has 1), or loss=softplus"
            )

    def discriminator(self, state: Stateless, real: Reading, fake: Reading, batch: Batch) -> Losses:
        return self._below(real.energy, fake.energy)

    def generator(self, state: Stateless, fake: Reading, sample: Sample) -> Losses:
        if sample.data is None:
            raise UsageError("Relativistic compares samples with data: give its generator a sample with `data`")
        return self._below(fake.energy, sample.data.energy)

    @property
    def asks(self) -> Asks:
        return Asks(compares=True)

    def _below(self, low: Tensor, high: Tensor) -> Losses:
        """The cost of one kind's energies that do not lie below the other's."""
        if self.against == "pair":
            return Losses.of(pairs=self._cost(low - high))
        return Losses.of(
            own=self._cost(low - high.mean(-1, keepdim=True)), other=self._cost(low.mean(-1, keepdim=True) - high)
        )

    def _cost(self, excess: Tensor) -> Tensor:
        short = per_model(self.margin, 1) + excess
        return (softplus(short) if self.loss == "softplus" else short.relu()).mean(-1)
