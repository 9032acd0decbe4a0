"""Normal noise for the layers of a net."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Shaped
from torch import Tensor

from ebgan.distributed import rank
from ebgan.nets.layers import Coupled
from ebgan.numbers import Number, per_model
from ebgan.randomness import Randomness


class Noise(Coupled):
    """In training, noise of standard deviation `std` [*models] for every layer of a pass.

    As in dropout, the numbers are a function of the seed and of the number of earlier samples, a buffer.
    """

    def __init__(self, std: Number, sizes: Sequence[int], randomness: Randomness, purpose: str) -> None:
        super().__init__()
        self.sizes, self.purpose, self.dtype = list(sizes), purpose, randomness.dtype
        self.seen: Tensor
        self.seeds: Tensor
        self.std: Tensor
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.register_buffer("seeds", randomness.seeds, persistent=False)
        spread = torch.as_tensor(std, dtype=torch.float32).expand(randomness.seeds.shape)
        self.register_buffer("std", spread, persistent=False)

    def forward(self, images: Shaped[Tensor, "*models batch C H W"]) -> tuple[Tensor, ...] | None:
        """Noise [*models, batch, size] for each layer of a pass of images; None in evaluation."""
        if not self.training:
            return None
        batch = images.shape[-4]
        first = self.seen + rank().index * batch
        noise = Randomness(self.seeds, self.dtype).noise(self.purpose, batch, sum(self.sizes), first=first)
        self.seen.add_(batch * rank().count)
        std = per_model(self.std, 2)
        own = noise.shape[:-2] == self.seeds.shape  # False if all models share one seed, and so one draw
        return torch.split(noise.mul_(std) if own else noise * std, self.sizes, -1)
