"""Normalised auto-encoder (Yoon, Noh & Park, 2021): an auto-encoder trained as a density p(x) ~ exp(-E(x) / T).

    discriminator   E(x) - E(x-) + gamma E(x-)^2
    generator       E(G(z)), if it has turns; the method has no generator

x- are chains of the energy's own density (`Langevin`), so that E(x) - E(x-) has the gradient of the negative
log-likelihood. The square keeps the energy of the negatives bounded: for a given x- the loss is lowest at
E = 1 / (2 gamma). Gamma is 1 in the authors' code, whose energy is the mean over pixels of the squared error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from ebgan.errors import check_number
from ebgan.objectives.base import Asks, Objective, Stateless
from ebgan.records import Batch, Losses, Reading, Sample


@final
@dataclass(frozen=True, kw_only=True)
class NAE(Objective[Stateless]):
    """Maximum likelihood by negatives from chains, with a bound on their energy."""

    gamma: float = 1.0  # weight of the squared energy of the negatives

    def __post_init__(self) -> None:
        check_number("objective", "of 0 or more", gamma=self.gamma)

    def discriminator(self, state: Stateless, real: Reading, fake: Reading, batch: Batch) -> Losses:
        bound = self.gamma * fake.energy.square().mean(-1)
        return Losses.of(real=real.energy.mean(-1), fake=-fake.energy.mean(-1), bound=bound)

    def generator(self, state: Stateless, fake: Reading, sample: Sample) -> Losses:
        return Losses.of(fake=fake.energy.mean(-1))

    @property
    def asks(self) -> Asks:
        return Asks(needs=frozenset({"floor"}))
