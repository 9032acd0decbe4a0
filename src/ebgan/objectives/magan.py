"""Margin adaptation GAN (Wang, Cully, Chang & Demiris, 2017).

    discriminator   E(x) + [m - E(G(z))]_+
    generator       E(G(z))
    margin          after epoch t:  m <- E_x(t)   if   E_x(t) < m   and   E_x(t) < E_z(t)   and   E_z(t - 1) < E_z(t)

E_x(t) is the mean energy of the data over the discriminator's turns of epoch t, and E_z(t) that of the samples over the
generator's turns; where a step has several turns, the last one counts. The margin falls to the energy of the data, but
only after an epoch in which the energy of the samples rose; it never rises, and the first epoch leaves it as it is.
First the discriminator is trained on the data alone, for two epochs in the authors' code; then one pass over the data
without training gives the first margin, the mean energy.

An epoch ends where the images seen pass a multiple of `epoch`. The authors compare sums over epochs with the same
number of steps; we compare means, which is equivalent and allows epochs that differ by a step. Their energy is the sum
of squared errors, AutoencoderEnergy(unit="sse").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from torch import Tensor

from ebgan.errors import check_least
from ebgan.objectives.base import Asks, Objective
from ebgan.objectives.terms import below, code_similarity, convergence, hinge
from ebgan.records import Batch, Losses, Means, Reading, Sample


class MAGANState(NamedTuple):
    """The state of MAGAN."""

    margin: Tensor  # [*models] in units of the energy; 0 until the discriminator is pretrained
    real: Tensor  # [*models] sum over the epoch's steps of the data's mean energy
    fake: Tensor  # [*models] sum of the samples' mean energy in the generator's turn
    fake_before: Tensor  # [*models] E_z of the previous epoch
    steps: Tensor  # [] steps of this epoch
    images: Tensor  # [] int64, images seen


@final
@dataclass(frozen=True, kw_only=True)
class MAGAN(Objective[MAGANState]):
    """The margin loss; after an epoch, the margin may fall to the mean energy of the data."""

    epoch: int | None = None  # images in an epoch; None: the number of images in the data

    def __post_init__(self) -> None:
        check_least("objective", 1, epoch=self.epoch)

    def init(self, models: tuple[int, ...] = (), device: torch.device | str | None = None) -> MAGANState:
        zero = torch.zeros(models, device=device)
        first = torch.full_like(zero, torch.finfo(zero.dtype).max)  # so that the first epoch leaves the margin as it is
        clock = torch.zeros((), dtype=torch.int64, device=device)
        return MAGANState(zero, zero, zero, first, torch.zeros((), device=device), clock)

    def after_pretraining(self, state: MAGANState, energies: Tensor) -> MAGANState:
        return state._replace(margin=energies.mean(-1).to(state.margin.dtype))

    def skip_generator(self, state: MAGANState, images: Tensor) -> MAGANState:
        return state._replace(images=images)

    def discriminator(self, state: MAGANState, real: Reading, fake: Reading, batch: Batch) -> Losses:
        return Losses.of(real=real.energy.mean(-1), hinge=hinge(state.margin, fake.energy))

    def generator(self, state: MAGANState, fake: Reading, sample: Sample) -> Losses:
        return Losses.of(fake=fake.energy.mean(-1))

    def update(self, state: MAGANState, means: Means) -> MAGANState:
        assert self.epoch is not None
        steps = state.steps + 1
        real, fake = (state.real + means.real).to(state.real.dtype), (state.fake + means.fake).to(state.fake.dtype)
        going = state._replace(real=real, fake=fake, steps=steps, images=means.images)
        ended = means.images // self.epoch > state.images // self.epoch
        return MAGANState(*(torch.where(ended, x, y) for x, y in zip(_next_epoch(going), going, strict=True)))

    def metrics(self, state: MAGANState, fake: Reading, means: Means) -> dict[str, Tensor]:
        return {
            "margin": state.margin,
            "margin_above_data": state.margin - means.real,
            "hinge_share": below(state.margin, fake.energy),
            "convergence": convergence(1.0, means.real, means.fake),
            **code_similarity(fake),
        }

    @property
    def asks(self) -> Asks:
        return Asks(
            from_data={"epoch": "epoch"} if self.epoch is None else {},
            pretrained=True,
            convergence=True,
            alarms=frozenset({"dead energy", "margin below the data"}),
        )


def _next_epoch(state: MAGANState) -> MAGANState:
    """The state at the end of an epoch: a new margin, and sums of 0."""
    real, fake = state.real / state.steps, state.fake / state.steps
    falls = (real < state.margin) & (real < fake) & (state.fake_before < fake)
    zero = torch.zeros_like(real)
    margin = torch.where(falls, real, state.margin)
    return MAGANState(margin, zero, zero, fake, torch.zeros_like(state.steps), state.images)
