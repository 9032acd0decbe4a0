"""Langevin dynamics in the noise of a generator (discriminator-driven latent sampling: Che et al., 2020).

    potential   U(z) = |z|^2 / 2 - log r(E(G(z)))
    step        z <- z - (s / 2) grad U(z) + sqrt(s) n,    n ~ N(0, I)

If r were the ratio of densities of data and samples, exp(-U) would be the density of noise whose samples have the
data's distribution. The steps start from the noise of plain samples. Uniform noise moves as the normal number of the
same quantile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from ebgan.errors import check_least, check_most, check_number
from ebgan.randomness import Randomness
from ebgan.runs.refinement.base import MOST_BUDGET, Made, Refinement
from ebgan.runs.refinement.ratio import Calibration, EnergyRatio
from ebgan.runs.run import Run


@final
@dataclass(frozen=True, kw_only=True)
class LatentLangevin(Refinement):
    """Move the noise of each sample to where the data is denser than the samples; every sample is kept."""

    budget: int = 4  # passes of the generator for each sample: a step less, each through both nets and back
    step: float = 0.001  # s; the paper's 0.01 blurs what few steps cannot bring to rest

    def __post_init__(self) -> None:
        check_least("refine", 1, budget=self.budget)
        check_most("refine", MOST_BUDGET, budget=self.budget)
        check_number("refine", "above 0", step=self.step)

    def make(self, run: Run, calibration: Calibration, count: int, seed: int) -> Made:
        noise = [run.prior.to_normal(each) for each in run.noise(count, seed=seed)]
        for turn in range(self.budget - 1):
            noise = self._moved(run, calibration.ratio, noise, Randomness.of(seed, run.device), turn)
        samples = run.generate([run.prior.from_normal(each) for each in noise])
        return Made(samples, candidates=count, accepted=count, passes=count * self.budget)

    def _moved(
        self, run: Run, ratio: EnergyRatio, noise: Sequence[Tensor], randomness: Randomness, turn: int
    ) -> list[Tensor]:
        """The noise after a step."""
        return [
            each
            - self.step / 2 * slope
            + math.sqrt(self.step) * randomness.normal(f"langevin{index}", len(each), *each.shape[1:], turn=turn)
            for index, (each, slope) in enumerate(zip(noise, _slopes(run, ratio, noise), strict=True))
        ]


def _slopes(run: Run, ratio: EnergyRatio, noise: Sequence[Tensor]) -> list[Tensor]:
    """The gradients of the potential at normal noise, in pieces that fit the memory."""
    found = []
    for piece in run.pieces(noise):
        with torch.enable_grad():
            normal = [each.detach().requires_grad_() for each in piece]
            images = run.generator(*(run.prior.from_normal(each) for each in normal))
            energy = run.experiment.energy.read(run.discriminator, images).energy
            potential = sum(each.square().sum() / 2 for each in normal) - ratio.log(energy).sum()
            found.append(torch.autograd.grad(potential, normal))
    return [torch.cat(parts) for parts in zip(*found, strict=True)]
