"""Noised data as further negatives: the discriminator also sees data with noise added, as if it were a sample.

    shown to D      each sample of its turn, or with probability `share` instead x + noise n, n ~ N(0, I)
    shown to G      unchanged

A generator that lags behind or collapses leaves whole directions around the data without negatives; noised data covers
all directions. This is our own addition, for energies that detect anomalies; it is in no paper.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn

from ebgan.errors import check_number
from ebgan.nets.base import BuildContext
from ebgan.numbers import per_model
from ebgan.records import Batch, Sample
from ebgan.samplers.base import CurrentEnergy, DrawKey, Sampler
from ebgan.samplers.prior import Prior


@final
@dataclass(frozen=True, kw_only=True)
class Noised(Sampler[Any]):
    """Another sampler's samples; for the discriminator, some are replaced by noised data."""

    sampler: Sampler[Any] = Prior()
    share: float = 0.5  # probability that a sample is replaced by noised data
    noise: float = 1.0  # standard deviation of the noise, in units of the data

    def __post_init__(self) -> None:
        check_number("sampler", "from 0 to 1", share=self.share)
        check_number("sampler", "above 0", noise=self.noise)

    @property
    def conditional(self) -> bool:
        return self.sampler.conditional

    @property
    def independent(self) -> bool:
        return self.sampler.independent

    def finished(self, sample: Sample, key: DrawKey, energy: CurrentEnergy) -> Tensor:
        return self.sampler.finished(sample, key, energy)

    def check(self, generator: nn.Module) -> None:
        self.sampler.check(generator)

    def init(self, context: BuildContext, dtype: torch.dtype, discriminator: nn.Module) -> Any:
        return self.sampler.init(context, dtype, discriminator)

    def sample(self, generator: nn.Module, key: DrawKey, source: Callable[[], Batch]) -> Sample:
        return self.sampler.sample(generator, key, source)

    def replay(
        self, memory: Any, sample: Sample, key: DrawKey, source: Callable[[], Batch], energy: CurrentEnergy
    ) -> tuple[Sample, Any]:
        shown, memory = self.sampler.replay(memory, sample, key, source, energy)
        before = shown.images if shown.negatives is None else shown.negatives
        where = {"first": key.first, "turn": key.turn}
        images = source().images
        noise = key.randomness.normal("noised", key.count, *images.shape[-3:], **where)
        replaced = key.randomness.uniform("noised share", key.count, **where) <= per_model(self.share, 1)
        noised = images + per_model(self.noise, 4) * noise
        negatives = torch.where(replaced[..., None, None, None], noised.to(before.dtype), before)
        return shown._replace(negatives=negatives), memory
