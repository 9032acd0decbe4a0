"""Rejection of samples by their energy (discriminator rejection sampling: Azadi et al., 2019).

    F(x)    log(r / (M - r)) - shift,    r = r(E(x)), M the largest r of the calibration's samples     (eq. 8)
    accept  with probability sigmoid(F(x))

With a shift of 0 that is r / M: rejection sampling, whose samples have the data's distribution of energies. Where it
would accept too few for the budget, a shift below 0 accepts more of all, as in the paper, where it is gamma. It is
found by the calibration's samples, so that one in `budget` candidates is accepted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ebgan.errors import check_least, check_most
from ebgan.randomness import Randomness
from ebgan.runs.refinement.base import MOST_BUDGET, Made, Refinement
from ebgan.runs.refinement.ratio import Calibration, EnergyRatio
from ebgan.runs.run import Run

SPARE = 1.1  # times the acceptance that just fills the budget: chance may accept fewer
STEPS = 60  # of the search for the shift, each of which halves its interval
FARTHEST = 50.0  # shift that accepts nearly all


@dataclass(frozen=True)
class Acceptance:
    """The rule by which samples are accepted."""

    ratio: EnergyRatio
    largest: float  # log M
    shift: float  # at most 0

    @classmethod
    def of(cls, calibration: Calibration, least: float) -> Acceptance:
        """The rule that accepts at least this share of the calibration's samples, and no more than rejection needs."""
        largest = float(calibration.samples.max())
        low, high = -FARTHEST, 0.0
        for _ in range(STEPS):
            middle = (low + high) / 2
            enough = _chances(calibration.samples - largest, middle).mean() >= least
            low, high = (middle, high) if enough else (low, middle)
        return cls(calibration.ratio, largest, high)

    def probability(self, energy: Float[Tensor, " count"]) -> Float[Tensor, " count"]:
        """The probability with which samples of these energies are accepted."""
        return _chances(self.ratio.log(energy) - self.largest, self.shift)


@final
@dataclass(frozen=True, kw_only=True)
class Rejection(Refinement):
    """Keep a sample by chance, the more likely the denser the data is at its energy.

    If fewer candidates than wanted are accepted within the budget, those that came closest are taken too.
    """

    budget: int = 4  # candidates for each sample, at most; each passes each net once

    def __post_init__(self) -> None:
        check_least("refine", 1, budget=self.budget)
        check_most("refine", MOST_BUDGET, budget=self.budget)

    def make(self, run: Run, calibration: Calibration, count: int, seed: int) -> Made:
        rule = Acceptance.of(calibration, SPARE / self.budget)
        images: list[Tensor] = []
        leads: list[Tensor] = []
        accepted = 0
        while len(images) < self.budget and accepted < count:
            first = len(images) * count
            images.append(run.generate(run.noise(count, seed=seed, first=first)))
            chance = Randomness.of(seed).uniform("refinement", count, first=first)
            leads.append(rule.probability(run.energy(images[-1])) - chance)
            accepted += int((leads[-1] >= 0).sum())
        candidates = count * len(images)
        return Made(_first(torch.cat(images), torch.cat(leads), count), candidates, accepted, candidates)


def _chances(below: Tensor, shift: float) -> Tensor:
    """sigmoid(log(r / (M - r)) - shift) of log(r / M); 1 for a ratio above M."""
    share = below.double().clamp(max=0).exp()
    return share / (share + math.exp(shift) * (1 - share))


def _first(images: Tensor, lead: Tensor, count: int) -> Tensor:
    """The first `count` images whose lead is not negative, then those of the largest lead, in their order."""
    rank = torch.where(lead >= 0, math.inf, lead)
    return images[rank.argsort(descending=True, stable=True)[:count].sort().values]
