"""Energy-based GAN (Zhao, Mathieu & LeCun, 2017), and EBGAN-PT.

    discriminator   E(x) + [m - E(G(z))]_+                    (eq. 1)
    generator       E(G(z))                                   (eq. 2)
    EBGAN-PT        E(G(z)) + w PT(Enc(G(z))), w = 0.1        (eq. 14, generator only)

The hinge is taken per sample and then averaged. The margin is in units of the energy: the paper's 10, 20, 40 and 80
are for the L2 norm of the residual of images in [-1, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from ebgan.errors import UsageError, check_number
from ebgan.objectives.base import Asks, Objective, Stateless
from ebgan.objectives.terms import below, code_similarity, hinge, pulling_away
from ebgan.records import Batch, Losses, Means, Reading, Sample


@final
@dataclass(frozen=True, kw_only=True)
class EBGAN(Objective[Stateless]):
    """The margin loss; with a weight for `pulling_away`, that term is added to the generator's loss."""

    margin: float | None = 10.0  # in units of the energy; None: calibrated on the data before training
    pulling_away: float | None = None  # weight of the pulling-away term; 0.1 in the paper; None: no such term

    def __post_init__(self) -> None:
        check_number("objective", "of 0 or more", margin=self.margin, pulling_away=self.pulling_away)

    def discriminator(self, state: Stateless, real: Reading, fake: Reading, batch: Batch) -> Losses:
        assert self.margin is not None
        return Losses.of(real=real.energy.mean(-1), hinge=hinge(self.margin, fake.energy))

    def generator(self, state: Stateless, fake: Reading, sample: Sample) -> Losses:
        energy = fake.energy.mean(-1)
        if self.pulling_away is None:
            return Losses.of(fake=energy)
        if fake.code is None:
            raise UsageError(_NO_CODE)
        return Losses.of(fake=energy, pulling_away=self.pulling_away * pulling_away(fake.code))

    def metrics(self, state: Stateless, fake: Reading, means: Means) -> dict[str, Tensor]:
        assert self.margin is not None
        return {
            "margin": torch.zeros_like(fake.energy[..., 0]) + self.margin,
            "hinge_share": below(self.margin, fake.energy),
            **code_similarity(fake),
        }

    @property
    def asks(self) -> Asks:
        return Asks(
            needs=frozenset() if self.pulling_away is None else frozenset({"code"}),
            from_data={"margin": "margin"} if self.margin is None else {},
            alarms=frozenset({"dead energy", "dead hinge", "margin out of reach"}),
        )


_NO_CODE = (
    "EBGAN-PT needs an energy with a code; the logistic energy has none: "
    "use the auto-encoder energy or pulling_away=None"
)
