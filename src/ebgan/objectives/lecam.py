"""LeCam regularisation, for few images (Tseng, Jiang, Liu, Yang & Yang, 2021).

    discriminator   ... + w (mean of (E(x) - a_fake)^2 + mean of (E(G(z)) - a_real)^2)
    generator       the inner objective's
    anchors         a_real <- d a_real + (1 - d) mean E(x),   a_fake <- d a_fake + (1 - d) mean E(G(z))

Each kind's energies are drawn to where the other's were on average, so that they do not drift apart as they do where
the discriminator knows all of its few images by heart. The paper has it of a critic's scores, E = -D, for which it is
the same; around a WGAN its optimum makes the generator descend a LeCam divergence. There w is 0.01 to 0.3 and d 0.99.

The anchors take the means of a step after it, those of samples from the generator's turn, and begin as those of the
first step, in which there is no penalty yet. The authors' code reads samples in the discriminator's turn and waits for
1,000 steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from ebgan.errors import check_number
from ebgan.numbers import per_model
from ebgan.objectives.base import Objective
from ebgan.objectives.wrapper import Wrapper
from ebgan.records import Batch, Losses, Means, Reading


class LeCamState(NamedTuple):
    """The anchors, whether they are known yet, and the inner objective's state."""

    real: Tensor  # [*models], moving average of the energies of the data
    fake: Tensor  # [*models], moving average of the energies of samples
    known: Tensor  # [*models], 0 before the first step and 1 after it
    inner: tuple[Any, ...]


@final
@dataclass(frozen=True, kw_only=True)
class LeCam(Wrapper[LeCamState]):
    """Any objective, with each kind's energies drawn to the other kind's moving average."""

    inner: Objective[Any]
    weight: float = 0.3  # w, in units of 1 / energy squared
    decay: float = 0.99  # d, of the anchors in a step

    def __post_init__(self) -> None:
        check_number("objective", "of 0 or more", weight=self.weight)
        check_number("objective", "from 0 to below 1", decay=self.decay)

    def init(self, models: tuple[int, ...] = (), device: torch.device | str | None = None) -> LeCamState:
        zero = torch.zeros(models, device=device)
        return LeCamState(zero, zero.clone(), zero.clone(), self.inner.init(models, device))

    def within(self, state: LeCamState) -> Any:
        return state.inner

    def around(self, state: LeCamState, moved: Any) -> LeCamState:
        return state._replace(inner=moved)

    def discriminator(self, state: LeCamState, real: Reading, fake: Reading, batch: Batch) -> Losses:
        far = (real.energy - per_model(state.fake, 1)).square() + (fake.energy - per_model(state.real, 1)).square()
        penalty = self.weight * state.known * far.mean(-1)
        return super().discriminator(state, real, fake, batch).plus(Losses.of(lecam=penalty))

    def update(self, state: LeCamState, means: Means) -> LeCamState:
        share = 1 - self.decay * state.known
        return (
            super()
            .update(state, means)
            ._replace(
                real=torch.lerp(state.real, means.real.to(state.real.dtype), share),
                fake=torch.lerp(state.fake, means.fake.to(state.fake.dtype), share),
                known=torch.ones_like(state.known),
            )
        )

    def metrics(self, state: LeCamState, fake: Reading, means: Means) -> dict[str, Tensor]:
        anchors = {"state/anchor_real": state.real, "state/anchor_fake": state.fake}
        return {**super().metrics(state, fake, means), **anchors}
