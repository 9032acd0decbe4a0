"""Loss-sensitive GAN (Qi, 2017), LS-GAN in the paper, and its generalisation GLS-GAN.

Not the least-squares GAN, which has the same initials (`ebgan.objectives.least_squares`).

    discriminator   w E(x) + C(Delta(x, G(z)) + E(x) - E(G(z)))       C(a) = max(a, s a)
    generator       E(G(z))

    s = 0    [a]_+, the LS-GAN
    s = 1    a, the WGAN: Delta drops out of the gradient
    s = -1   |a|

Each pair of a real image and a sample has its own margin: Delta, their distance over all pixels times a scale, without
gradient. Image i of the batch is paired with sample i, as in the authors' code. With Delta = m - E(x), the hinge of a
pair is EBGAN's [m - E(G(z))]_+.

The paper and Lee's slides have w = 1; the authors' code has w = 0, since its theory lets that term vanish. With w > 0
the energy must be bounded below, ScalarEnergy(nonnegative=True); otherwise E(x) falls without end.

The theory needs a Lipschitz energy. Three regularisers approximate it: `weight_decay` and `clip` of the
discriminator's optimiser (the LS-GAN code uses decay 0 and mentions 5e-5 in a comment; the GLS-GAN code clips at
0.08), and the gradient penalty on the data from the later GLS-GAN code, with weight 10:

    discriminator   ... + w_g mean over x of ||dE(x)/dx||_2

Here the norm is over all pixels and channels of an image. That code takes it over the channels of each pixel
(norm(2, dim=1)), so that its weight is not comparable.
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
    scale: float = 2e-4  # factor on the distance; the authors' code names 0.05 for l2
    real_weight: float = 1.0  # w: 1 in the paper and the slides, 0 in the authors' code
    slope: float = 0.0  # s, at most 1: 0 LS-GAN, 1 WGAN, -1 the absolute value
    gradient_penalty: float | None = None  # w_g: 10 in the later code; None saves a pass

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
    """The distance over all pixels between image i of one batch and image i of the other."""
    apart: Tensor = torch.linalg.vector_norm((real - fake).flatten(-3), ord=1 if kind == "l1" else 2, dim=-1)
    return apart
