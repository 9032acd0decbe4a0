"""Loss-sensitive GAN (Qi, 2017), LS-GAN in the paper, and its generalisation GLS-GAN.

It is not the least-squares GAN of the same initials (`ebgan.objectives.least_squares`).

    discriminator   w E(x) + C(Delta(x, G(z)) + E(x) - E(G(z)))       C(a) = max(a, s a)
    generator       E(G(z))

    s = 0    [a]_+, the LS-GAN
    s = 1    a, the WGAN: Delta drops out of the gradient
    s = -1   |a|

A sample's energy is to lie above that of a real image by a margin of their own: Delta is their distance over all
pixels times a scale, a number to both players. Pairs are formed by their places in the batch, as in the authors' code.
With Delta = m - E(x) the pair's hinge is EBGAN's [m - E(G(z))]_+.

The paper and Lee's slides have w = 1; the authors' code has w = 0, since its theory lets that term vanish. With w > 0
the energy must have a floor, ScalarEnergy(nonnegative=True), or E(x) falls for ever.

The theory wants an energy that is Lipschitz. Three regularisers stand for it: `weight_decay` and `clip` of the
discriminator's optimiser (5e-5 is a comment of the LS-GAN code, which has 0; the GLS-GAN code clips at 0.08), and the
gradient penalty on the data of the later GLS-GAN code, with weight 10:

    discriminator   ... + w_g mean over x of ||dE(x)/dx||_2

The length is taken over all pixels and channels of an image. That code takes it over the channels of each pixel alone
(norm(2, dim=1)), for which the same weight means something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from ebgan.errors import check_number
from ebgan.numbers import is_used, per_model
from ebgan.objectives.base import Asks, Objective, Place, Stateless
from ebgan.records import Batch, Losses, Reading, Sample


@final
@dataclass(frozen=True, kw_only=True)
class LossSensitiveGAN(Objective[Stateless]):
    """The loss-sensitive GAN: a margin for each pair of a real image and a sample."""

    distance: Literal["l1", "l2"] = "l1"  # over all pixels: the sum of absolute differences, or the L2 norm
    scale: float = 2e-4  # of the distance; the authors' code names 0.05 for l2
    real_weight: float = 1.0  # w: the paper's and the slides' 1, the authors' code's 0
    slope: float = 0.0  # s, at most 1: 0 LS-GAN, 1 WGAN, -1 the absolute value
    gradient_penalty: float | None = None  # w_g: the later code's 10, or none, which saves a pass

    def __post_init__(self) -> None:
        weights = {"real_weight": self.real_weight, "gradient_penalty": self.gradient_penalty}
        check_number("objective", "of 0 or more", scale=self.scale, **weights)
        check_number("objective", "of 1 or less", slope=self.slope)

    def discriminator(self, state: Stateless, real: Reading, fake: Reading, batch: Batch) -> Losses:
        margin = per_model(self.scale, 1) * distance(self.distance, real.images, fake.images).detach()
        short = margin + real.energy - fake.energy
        cost = torch.maximum(short, per_model(self.slope, 1) * short)
        return Losses.of(real=self.real_weight * real.energy.mean(-1), pairs=cost.mean(-1))

    def generator(self, state: Stateless, fake: Reading, sample: Sample) -> Losses:
        return Losses.of(fake=fake.energy.mean(-1))

    def penalty(self, state: Stateless, place: Place, slopes: Tensor) -> Losses:
        if self.gradient_penalty is None:
            return super().penalty(state, place, slopes)
        return Losses.of(gradient_penalty=self.gradient_penalty * slopes.mean(-1))

    @property
    def asks(self) -> Asks:
        return Asks(
            needs=frozenset({"floor"} if is_used(self.real_weight) else ()),
            slopes={} if self.gradient_penalty is None else {"data": 1},
            reads_images=True,
        )


def distance(
    kind: Literal["l1", "l2"], real: Float[Tensor, "*models batch C H W"], fake: Float[Tensor, "*models batch C H W"]
) -> Float[Tensor, "*models batch"]:
    """How far apart the images at each place of two batches are, over all pixels."""
    apart: Tensor = torch.linalg.vector_norm((real - fake).flatten(-3), ord=1 if kind == "l1" else 2, dim=-1)
    return apart
