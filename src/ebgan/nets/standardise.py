"""Batch normalisation without learned scale and shift, whose running statistics are updated separately."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ebgan.distributed import mean_across_ranks, rank
from ebgan.nets.layers import Coupled, Models, Wide, across_models


class Standardise(Wide, Coupled):
    """(x - mean) / sqrt(variance + epsilon), in training with the statistics of the batch of all ranks.

    Only `follow` updates the running statistics, so that passes with noise, or of samples, do not change evaluation.
    They are means of all batches followed, until the last one's share has fallen to `momentum`; then moving averages.
    """

    def __init__(self, features: int, models: Models = (), momentum: float = 0.02, epsilon: float = 1e-10) -> None:
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.followed: Tensor
        self.mean: Tensor
        self.variance: Tensor
        self.register_buffer("followed", torch.zeros((), dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(*models, features))
        self.register_buffer("variance", torch.ones(*models, features))

    def forward(self, x: Float[Tensor, "*models batch features"]) -> Float[Tensor, "*models batch features"]:
        wide = x.to(self.mean.dtype)
        if self.training and rank().count == 1 and wide.shape[-2] > 1:  # torch's kernel
            return across_models(
                wide,
                partial(functional.batch_norm, running_mean=None, running_var=None, training=True, eps=self.epsilon),
            )
        return self.by(wide, wide)

    def by(
        self, reference: Float[Tensor, "*models batch features"], x: Float[Tensor, "*models batch features"]
    ) -> Float[Tensor, "*models batch features"]:
        """X by the mean and variance of a reference, or, in evaluation, by the running ones."""
        mean, variance = _of_batch(reference.to(self.mean.dtype)) if self.training else (self.mean, self.variance)
        return (x.to(self.mean.dtype) - mean[..., None, :]) * (variance + self.epsilon).rsqrt()[..., None, :]

    @torch.no_grad()
    def follow(self, x: Float[Tensor, "*models batch features"]) -> None:
        """Move the running statistics towards those of a batch, the variance with Bessel's correction."""
        mean, variance = _of_batch(x.to(self.mean.dtype))
        count = x.shape[-2] * rank().count
        share = self.followed.add_(1).to(mean.dtype).reciprocal().clamp_(min=self.momentum)
        self.mean.lerp_(mean, share)
        self.variance.lerp_(variance * (count / max(count - 1, 1)), share)


def _of_batch(x: Tensor) -> tuple[Tensor, Tensor]:
    mean = mean_across_ranks(x.mean(-2))
    return mean, mean_across_ranks((x - mean[..., None, :]).square().mean(-2))
