"""Boundary equilibrium GAN (Berthelot, Schumm & Metz, 2017).

    discriminator   E(x) - k E(G(z))
    generator       E(G(z))
    balance         k <- clip(k + lambda_k (gamma E(x) - E(G(z))), 0, 1),   k = 0 at the start
    convergence     M = E(x) + |gamma E(x) - E(G(z))|

The energy is the mean absolute error per pixel of an auto-encoder, AutoencoderEnergy(unit="l1"); in another
unit, lambda_k = 0.001 is another gain. The balance uses E(G(z)) of the generator's turn, as in the paper; the clip is
from the authors' code. k is a constant for both players: no gradient flows through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from torch import Tensor

from ebgan.errors import check_number
from ebgan.objectives.base import Asks, Objective
from ebgan.objectives.terms import code_similarity, convergence
from ebgan.records import Batch, Losses, Means, Reading, Sample


class BEGANState(NamedTuple):
    """The state of BEGAN."""

    k: Tensor  # [*models] weight of the samples' energy in the discriminator's loss, in [0, 1]


@final
@dataclass(frozen=True, kw_only=True)
class BEGAN(Objective[BEGANState]):
    """Control the weight k of the samples in D's loss so that E(G(z)) = gamma E(x) at equilibrium."""

    gamma: float = 0.5  # diversity ratio E(G(z)) / E(x): low gives good but uniform samples
    lambda_k: float = 1e-3  # gain of the balance

    def __post_init__(self) -> None:
        check_number("objective", "above 0", gamma=self.gamma, lambda_k=self.lambda_k)

    def init(self, models: tuple[int, ...] = (), device: torch.device | str | None = None) -> BEGANState:
        return BEGANState(torch.zeros(models, device=device))

    def discriminator(self, state: BEGANState, real: Reading, fake: Reading, batch: Batch) -> Losses:
        return Losses.of(real=real.energy.mean(-1), fake=-state.k * fake.energy.mean(-1))

    def generator(self, state: BEGANState, fake: Reading, sample: Sample) -> Losses:
        return Losses.of(fake=fake.energy.mean(-1))

    def update(self, state: BEGANState, means: Means) -> BEGANState:
        balance = self.gamma * means.real - means.fake
        return BEGANState((state.k + self.lambda_k * balance).clamp(0, 1).to(state.k.dtype))

    def metrics(self, state: BEGANState, fake: Reading, means: Means) -> dict[str, Tensor]:
        measure = convergence(self.gamma, means.real, means.fake)
        return {"state/k": state.k, "convergence": measure, **code_similarity(fake)}

    @property
    def asks(self) -> Asks:
        return Asks(convergence=True, alarms=frozenset({"k stuck at 0", "k stuck at 1"}))
