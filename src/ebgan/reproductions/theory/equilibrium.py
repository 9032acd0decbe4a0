"""The game of EBGAN on a few places, where both players are tables and all expectations are exact (section 2.2).

    V(G, D) = sum over x of p(x) D(x) + q(x) [m - D(x)]_+         the discriminator's, to be made small    (eq. 3)
    U(G, D) = sum over x of q(x) D(x)                             the generator's, to be made small        (eq. 4)

p is the data's distribution and q that of the samples. Below the margin V = m + sum (p - q) D, so that the players pull
the same sum in opposite directions: a bilinear game. Plain gradient descent circles around the equilibrium of such a
game and does not get there; the optimistic step 2 g(t) - g(t - 1) does (Daskalakis et al., 2018). The theorems speak of
the equilibrium, not of the way to it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ebgan.randomness import Randomness

DISCRIMINATOR_STEP = 0.1  # in units of the margin
GENERATOR_STEP = 0.1  # divided by the margin


class Position(NamedTuple):
    """Where the players stand."""

    samples: Tensor  # [places] the distribution q
    energies: Tensor  # [places] D
    value: float  # V(G, D)
    variation: float  # total variation between p and q

    @property
    def spread(self) -> float:
        """The largest difference between energies of the places."""
        return float(self.energies.max() - self.energies.min())


def value(data: Tensor, samples: Tensor, energies: Tensor, margin: float) -> float:
    """V(G, D)."""
    return float((data * energies + samples * (margin - energies).relu()).sum())


def best_energies(data: Tensor, samples: Tensor, margin: float) -> Tensor:
    """D*, the best answer to a generator (Lemma 1): m where there are more samples than data, 0 elsewhere."""
    return torch.where(data < samples, margin, 0.0).to(data)


def total_variation(one: Tensor, other: Tensor) -> float:
    """Half the sum of absolute differences."""
    return float((one - other).abs().sum() / 2)


def play(data: Tensor, margin: float, rounds: int, *, optimistic: bool = True, seed: int = 0) -> list[Position]:
    """The positions after 0, 1, ... rounds from a random start, in which both players move at once.

    The discriminator moves its table down the gradient of V, kept at 0 or above, the generator its logits down the
    energy, by multiplicative weights.
    """
    randomness = Randomness.of(seed)
    energies = margin * randomness.uniform("energies", 1, len(data))[0].double()
    logits = randomness.normal("logits", 1, len(data))[0].double()
    before: tuple[Tensor, Tensor] | None = None
    positions = []
    for _ in range(rounds + 1):
        samples = logits.softmax(-1)
        positions.append(
            Position(samples, energies, value(data, samples, energies, margin), total_variation(data, samples))
        )
        slopes = data - samples * (energies < margin), energies
        down, toward = (2 * now - last for now, last in zip(slopes, before or slopes, strict=True))
        before = slopes if optimistic else None
        energies = (energies - DISCRIMINATOR_STEP * margin * down).clamp(min=0)
        logits = logits - GENERATOR_STEP / margin * toward
    return positions
