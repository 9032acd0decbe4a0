"""Samples from noise: x = G(z), z ~ N(0, I) or U(-1, 1)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, final

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from ebgan.errors import UsageError
from ebgan.nets.base import BuildContext, ByClass, Generator
from ebgan.records import Batch, Sample
from ebgan.samplers.base import DrawKey, Memoryless, Sampler

_INSIDE = (2.0**-24, 1 - 2.0**-24)  # quantiles whose normal numbers are finite in float32


@final
@dataclass(frozen=True, kw_only=True)
class Prior(Sampler[Memoryless]):
    """Draw all noise inputs of the generator; the EBGAN paper's noise is normal."""

    distribution: Literal["normal", "uniform"] = "normal"

    def check(self, generator: nn.Module) -> None:
        if not isinstance(generator, Generator):
            raise UsageError(
                "sampler: Prior starts from noise, and needs a generator of noise as nets.generator (MLPGenerator), or "
                "take samples from images (Transition)"
            )

    def init(self, context: BuildContext, dtype: torch.dtype, discriminator: nn.Module) -> Memoryless:
        return Memoryless()

    def sample(self, generator: nn.Module, key: DrawKey, source: Callable[[], Batch]) -> Sample:
        assert isinstance(generator, Generator)
        noise = self.noise(generator, key)
        if not isinstance(generator, ByClass):
            return Sample(generator(*noise))
        labels = self.labels(generator, key)
        return Sample(generator.of(labels)(*noise), labels=labels)

    def labels(self, generator: ByClass, key: DrawKey) -> Integer[Tensor, "*models count"]:
        """The class of each sample, by its index: the classes in turn, so that all have as many."""
        seeds = key.randomness.seeds
        turns = (torch.arange(key.count, device=seeds.device) + key.first) % generator.classes
        return turns.expand(*seeds.shape, -1)

    def noise(self, generator: Generator, key: DrawKey) -> list[Tensor]:
        """One tensor [*models, count, *shape] for each noise of the generator."""
        return [self._draw(f"noise{index}", key, shape) for index, shape in enumerate(generator.noise)]

    def truncated(self, noise: Float[Tensor, "*any"], threshold: float) -> Float[Tensor, "*any"]:
        """Noise truncated to [-threshold, threshold], which makes samples more alike.

        Every number keeps its quantile, so that the same noise gives a similar sample at every threshold.
        Raises UsageError for a threshold that is not above 0.
        """
        if not threshold > 0:
            raise UsageError(f"truncation {threshold:g}: expected a number above 0, beyond which no noise lies")
        if self.distribution == "uniform":
            return noise * min(threshold, 1.0)
        tail = 0.5 * math.erfc(threshold / math.sqrt(2))
        rank = tail + torch.special.ndtr(noise.double()) * (1 - 2 * tail)
        drawn: Tensor = torch.special.ndtri(rank)
        return drawn.to(noise.dtype).clamp(-threshold, threshold)

    def to_normal(self, noise: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """The normal numbers of the same quantiles as noise; normal noise itself."""
        return noise if self.distribution == "normal" else torch.special.ndtri(((noise + 1) / 2).clamp(*_INSIDE))

    def from_normal(self, normal: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """The noise of the same quantiles as normal numbers, the inverse of `to_normal`."""
        return normal if self.distribution == "normal" else torch.special.ndtr(normal) * 2 - 1

    def between(
        self, start: Float[Tensor, "count ..."], end: Float[Tensor, "count ..."], share: float
    ) -> Float[Tensor, "count ..."]:
        """Interpolate noise from start (share 0) to end (share 1).

        Normal noise goes along an arc (slerp), which keeps its length; uniform noise on a line, which stays in range.
        """
        return torch.lerp(start, end, share) if self.distribution == "uniform" else _slerp(start, end, share)

    def _draw(self, purpose: str, key: DrawKey, shape: tuple[int, ...]) -> Tensor:
        randomness, where = key.randomness, {"first": key.first, "turn": key.turn}
        if self.distribution == "normal":
            return randomness.normal(purpose, key.count, *shape, **where)
        return randomness.uniform(purpose, key.count, *shape, **where) * 2 - 1


def _slerp(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Points on the arcs from start to end [count, *shape]: (sin((1 - t) w) start + sin(t w) end) / sin w."""
    one, other = start.flatten(1), end.flatten(1)
    angle = torch.cosine_similarity(one, other, -1).clamp(-1, 1).acos()[:, None]
    arc = (torch.sin((1 - share) * angle) * one + torch.sin(share * angle) * other) / torch.sin(angle)
    straight = torch.sin(angle) < 1e-4  # one direction, or opposite ones: there is no arc, or no single one
    return torch.where(straight, torch.lerp(one, other, share), arc).view_as(start)
