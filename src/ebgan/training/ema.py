"""An exponential moving average of the generator's weights, with a half-life in images seen."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class Average:
    """Averages named tensors; integer tensors (a count) are copied."""

    def __init__(self, weights: Mapping[str, Tensor], half_life: int) -> None:
        self.half_life = half_life
        self.tensors = {name: value.detach().clone() for name, value in weights.items()}

    @torch.no_grad()
    def follow(self, weights: Mapping[str, Tensor], images: int) -> None:
        """Move towards the weights, after `images` more images seen."""
        share = 1 - 0.5 ** (images / self.half_life)
        moving = [name for name, average in self.tensors.items() if average.is_floating_point()]
        if moving:
            torch._foreach_lerp_([self.tensors[name] for name in moving], [weights[name] for name in moving], share)
        for name in self.tensors.keys() - set(moving):
            self.tensors[name].copy_(weights[name])
