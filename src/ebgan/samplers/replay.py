"""Experience replay: the discriminator also sees samples that were made in earlier iterations (Lee's slides).

    shown to D      each sample of its turn, or with probability `share` instead one of the last `size` samples
    shown to G      unchanged

The slides only name it, beside "parameters from last iteration"; size, share and a uniform draw are our choices. Ranks
exchange their samples' images and all keep the whole batch, so that several ranks compute what one would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import torch
from torch import Tensor, nn

from ebgan.distributed import gather_across_ranks
from ebgan.errors import UsageError, check_least, check_number
from ebgan.nets.base import BuildContext
from ebgan.numbers import per_model
from ebgan.records import Batch, Sample
from ebgan.samplers.base import CurrentEnergy, DrawKey, Memoryless, Sampler
from ebgan.samplers.prior import Prior


class Buffer(NamedTuple):
    """The samples that can be shown again."""

    samples: Tensor  # [*models, size, C, H, W]; only the first min(given, size) are filled
    given: Tensor  # [] int64, number of samples stored so far; the next goes to index `given` modulo size


@final
@dataclass(frozen=True, kw_only=True)
class Replay(Sampler[Buffer]):
    """Another sampler's samples; the discriminator is shown some of them again later."""

    sampler: Sampler[Any] = Prior()
    size: int = 1000  # samples kept for each model
    share: float = 0.5  # probability that a sample is replaced by a kept one

    def __post_init__(self) -> None:
        check_least("sampler", 1, size=self.size)
        check_number("sampler", "from 0 to 1", share=self.share)

    @property
    def conditional(self) -> bool:
        return self.sampler.conditional

    def check(self, generator: nn.Module) -> None:
        self.sampler.check(generator)

    def init(self, context: BuildContext, dtype: torch.dtype, discriminator: nn.Module) -> Buffer:
        if self.sampler.init(context, dtype, discriminator) != Memoryless():
            name = type(self.sampler).__name__
            raise UsageError(
                f"sampler.sampler={name}: has a memory of its own, which Replay would not keep: put Replay inside, "
                f"sampler={name}(sampler=Replay(...))"
            )
        device = context.randomness.seeds.device
        samples = torch.zeros(*context.models, self.size, *context.shape, dtype=dtype, device=device)
        return Buffer(samples, torch.zeros((), dtype=torch.int64, device=device))

    def sample(self, generator: nn.Module, key: DrawKey, source: Callable[[], Batch]) -> Sample:
        return self.sampler.sample(generator, key, source)

    def replay(
        self, memory: Buffer, sample: Sample, key: DrawKey, source: Callable[[], Batch], energy: CurrentEnergy
    ) -> tuple[Sample, Buffer]:
        where = {"first": key.first, "turn": key.turn}
        held = memory.given.clamp(max=self.size)
        index = (key.randomness.uniform("replayed", key.count, **where) * held).ceil().long() - 1
        again = (key.randomness.uniform("replay", key.count, **where) <= per_model(self.share, 1)) & (held > 0)
        old = memory.samples.take_along_dim(index.clamp(min=0)[..., None, None, None], -4)
        shown = torch.where(again[..., None, None, None], old, sample.images.to(old.dtype))
        return sample._replace(negatives=shown), self._kept(memory, sample.images)

    def _kept(self, memory: Buffer, images: Tensor) -> Buffer:
        """The buffer after the samples of all ranks have replaced the oldest."""
        whole = gather_across_ranks(images, -4)
        given = memory.given + whole.shape[-4]
        last = whole[..., -self.size :, :, :, :]
        indices = (given - last.shape[-4] + torch.arange(last.shape[-4], device=given.device)) % self.size
        return Buffer(memory.samples.index_copy(-4, indices, last.to(memory.samples.dtype)), given)
