"""Samples from images of the data (VCD; Zhai et al., 2016, section 6): x~ = Decode(h~), h = Encode(x).

    h~ = m h + (1 - m) z,    m ~ Bernoulli(keep) and z ~ U(-1, 1), both for each number of the code

The reconstruction is Decode(h), the same net without noise, computed only in the generator's turn. In training, batch
norm uses separate statistics for the two passes, as in the authors' code. The paper's m marks the replaced numbers
instead; at its 0.5 this is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from ebgan.errors import UsageError, check_number
from ebgan.nets.base import BuildContext, TransitionGenerator
from ebgan.numbers import per_model
from ebgan.records import Batch, Sample
from ebgan.samplers.base import DrawKey, Memoryless, Sampler


@final
@dataclass(frozen=True, kw_only=True)
class Transition(Sampler[Memoryless]):
    """One transition from each image of the source; by default half of its code is drawn anew."""

    keep: float = 0.5  # probability that a number of the code is kept

    def __post_init__(self) -> None:
        check_number("sampler", "from 0 to 1", keep=self.keep)

    @property
    def conditional(self) -> bool:
        return True

    def check(self, generator: nn.Module) -> None:
        if not isinstance(generator, TransitionGenerator):
            raise UsageError(
                "sampler: Transition starts from images, and needs a transition generator as nets.generator "
                "(MLPTransition), or take samples from noise (Prior)"
            )

    def init(self, context: BuildContext, dtype: torch.dtype, discriminator: nn.Module) -> Memoryless:
        return Memoryless()

    def sample(self, generator: nn.Module, key: DrawKey, source: Callable[[], Batch]) -> Sample:
        assert isinstance(generator, TransitionGenerator)
        images = source().images
        code = generator.encode(images)
        samples = generator.decode(self.replaced(code, key))
        learning = torch.is_grad_enabled()  # a generator's turn: only it reads the reconstruction
        return Sample(samples, source=images, reconstruction=generator.decode(code) if learning else None)

    def replaced(self, code: Tensor, key: DrawKey) -> Tensor:
        """The codes [*models, batch, code] with some numbers replaced by noise."""
        randomness, where = key.randomness, {"first": key.first, "turn": key.turn}
        noise = randomness.uniform("transition", key.count, code.shape[-1], **where) * 2 - 1
        kept = randomness.uniform("kept", key.count, code.shape[-1], **where) <= per_model(self.keep, 2)
        return torch.where(kept, code, noise.to(code.dtype))
