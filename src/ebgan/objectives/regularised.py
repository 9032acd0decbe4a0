"""Penalties on the slope of the energy, around any objective (Mescheder et al., 2018; Gulrajani et al., 2017).

    discriminator   ... + w_d / 2 mean over x of ||dE(x)/dx||^2            R1, at the data
                        + w_s / 2 mean over G(z) of ||dE(G(z))/dG(z)||^2   R2, at samples
                        + w_b mean over y of (||dE(y)/dy|| - 1)^2          WGAN-GP, y = u x + (1 - u) G(z)
    generator       the inner objective's

Weights are the papers' gammas, in units of 1 / energy: R3GAN (Huang et al., 2024) has R1 and R2 at once, with 0.05 to
150 after the size of images; StyleGAN2 (Karras et al., 2020) has R1 alone, with 10, and takes it in one of 16 turns of
the discriminator with 16 times the weight, which is `every`: the mean over turns is the same, and the time is not.

Images are those that the discriminator reads: behind `Augmentation` changed ones, under `Replay` replayed ones. The
norm is taken over all pixels and channels. Batch norm in the discriminator would make the slope at an image depend on
the others. While the discriminator is pretrained alone there is no penalty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from torch import Tensor

from ebgan.errors import UsageError, check_least, check_most, check_number
from ebgan.numbers import is_used
from ebgan.objectives.base import Asks, Objective, Place
from ebgan.objectives.wrapper import Wrapper
from ebgan.records import Losses

State = tuple[Any, ...]
MOST_EVERY = 10_000  # turns of the discriminator


@final
@dataclass(frozen=True, kw_only=True)
class Regularised(Wrapper[State]):
    """Any objective, with slopes held near 0 at the data (R1) and at samples (R2), and near 1 between them.

    Raises UsageError where the inner objective has a penalty at the same place already.
    """

    inner: Objective[Any]
    data: float = 0.0  # weight of R1, halved in the loss; 0 leaves it out and saves its passes, as below
    samples: float = 0.0  # weight of R2, halved in the loss
    between: float = 0.0  # weight of WGAN-GP's penalty; its paper has 10
    every: int = 1  # turns of the discriminator of which one has the penalties, at so many times the weight

    def __post_init__(self) -> None:
        check_number("objective", "of 0 or more", data=self.data, samples=self.samples, between=self.between)
        check_least("objective", 1, every=self.every)
        check_most("objective", MOST_EVERY, every=self.every)
        for place in self._places.keys() & self.inner.asks.slopes.keys():
            raise UsageError(
                f"objective.{place}={self._places[place]}: {type(self.inner).__name__} has a penalty of its own there: "
                f"choose {place}=0.0, or an inner objective without it"
            )

    def penalty(self, state: State, place: Place, slopes: Tensor) -> Losses:
        if place not in self._places:
            return super().penalty(state, place, slopes)
        weight = self.every * self._places[place]
        if place == "between":
            return Losses.of(slope_between=weight * (slopes - 1).square().mean(-1))
        return Losses.of(**{f"slope_{place}": weight / 2 * slopes.square().mean(-1)})

    @property
    def asks(self) -> Asks:
        """What the inner objective asks for, and the slopes."""
        asked = super().asks
        return asked._replace(slopes={**asked.slopes, **dict.fromkeys(self._places, self.every)})

    @property
    def _places(self) -> dict[Place, float]:
        """The weights that are used, by place."""
        weights: dict[Place, float] = {"data": self.data, "samples": self.samples, "between": self.between}
        return {place: weight for place, weight in weights.items() if is_used(weight)}
