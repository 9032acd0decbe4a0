"""Samples from noise: x = G(z), z ~ N(0, I) or U(-1, 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor, nn

from ebgan.errors import UsageError
from ebgan.nets.base import Generator, Site
from ebgan.records import Batch, Sample
from ebgan.samplers.base import Memoryless, Moment, Sampler


@final
@dataclass(frozen=True, kw_only=True)
class Prior(Sampler[Memoryless]):
    """One draw of every noise that the generator starts from; the paper's is normal."""

    distribution: Literal["normal", "uniform"] = "normal"

    def check(self, generator: nn.Module) -> None:
        if not isinstance(generator, Generator):
            raise UsageError(
                "sampler: Prior starts from noise, and needs a generator of noise as nets.generator (MLPGenerator), or "
                "take samples from images (Transition)"
            )

    def init(self, site: Site, dtype: torch.dtype) -> Memoryless:  # noqa: ARG002
        return Memoryless()

    def sample(self, generator: nn.Module, moment: Moment, source: Callable[[], Batch]) -> Sample:  # noqa: ARG002
        assert isinstance(generator, Generator)
        return Sample(generator(*self.noise(generator, moment)))

    def noise(self, generator: Generator, moment: Moment) -> list[Tensor]:
        """One tensor [*models, count, *shape] for each noise of the generator."""
        return [self._draw(f"noise{place}", moment, shape) for place, shape in enumerate(generator.noise)]

    def _draw(self, purpose: str, moment: Moment, shape: tuple[int, ...]) -> Tensor:
        randomness, where = moment.randomness, {"first": moment.first, "turn": moment.turn}
        if self.distribution == "normal":
            return randomness.normal(purpose, moment.count, *shape, **where)
        return randomness.uniform(purpose, moment.count, *shape, **where) * 2 - 1
