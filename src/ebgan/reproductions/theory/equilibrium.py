"""EBGAN's game on a few points, where both players are tables and all expectations are exact (section 2.2).

    V(G, D) = sum over x of p(x) D(x) + q(x) [m - D(x)]_+         minimised by the discriminator    (eq. 3)
    U(G, D) = sum over x of q(x) D(x)                             minimised by the generator        (eq. 4)

p is the data's distribution and q that of the samples. Below the margin V = m + sum (p - q) D, so the game is bilinear:
the players push the same sum in opposite directions. Plain gradient descent circles around the equilibrium of such a
game; the optimistic step 2 g(t) - g(t - 1) converges to it (Daskalakis et al., 2018). The theorems are about the
equilibrium, not about how to reach it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ebgan.randomness import Randomness

DISCRIMINATOR_STEP = 0.1  # in units of the margin
GENERATOR_STEP = 0.1  # divided by the margin


class Position(NamedTuple):
    """The state of both players."""

    samples: Tensor  # [points] the distribution q
    energies: Tensor  # [points] D
    value: float  # V(G, D)
    variation: float  # total variation between p and q

    @property
    def spread(self) -> float:
        """The largest difference between energies."""
        return float(self.energies.max() - self.energies.min())


def value(data: Tensor, samples: Tensor, energies: Tensor, margin: float) -> float:
    """V(G, D) of distributions p and q [points] and energies [points]."""
    return float((data * energies + samples * (margin - energies).relu()).sum())


def best_energies(data: Tensor, samples: Tensor, margin: float) -> Tensor:
    """D* [points], the best response to a generator (Lemma 1): m where q > p, 0 elsewhere."""
    return torch.where(data < samples, margin, 0.0).to(data)


def total_variation(one: Tensor, other: Tensor) -> float:
    """The total variation distance: half the sum of absolute differences."""
    return float((one - other).abs().sum() / 2)


def play(data: Tensor, margin: float, rounds: int, *, optimistic: bool = True, seed: int = 0) -> list[Position]:
    """Play from a random start with simultaneous moves; returns the positions after 0, 1, ... rounds.

    The discriminator's energies follow the negative gradient of V, projected to 0 or above; the generator's logits
    follow the negative energy (multiplicative weights).
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
