"""Adamax along the model axis: Adam with the largest recent gradient in place of the root of the mean square.

mean <- beta1 mean + (1 - beta1) g
top  <- max(beta2 top, |g| + epsilon)
w    <- w - lr / (1 - beta1^t) mean / top                 (Kingma & Ba, 2015, algorithm 2)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from ebgan.numbers import per_model
from ebgan.schedules import Schedule
from ebgan.training.optim import OptimiserSpec, Slots, counted, gathered, moments


@final
@dataclass(frozen=True, kw_only=True)
class Adamax(OptimiserSpec):
    """Adamax with torch's epsilon and MAGAN's betas."""

    lr: float
    beta1: float = 0.5
    beta2: float = 0.999
    epsilon: float = 1e-8
    decay: Schedule | None = None
    weight_decay: float = 0.0
    clip: float | None = None

    def slots(self, weights: Sequence[Tensor], models: tuple[int, ...]) -> Slots:
        return moments(weights, models, "mean", "top")

    def move(self, weights: list[Tensor], gradients: list[Tensor], slots: Slots, lr: Tensor, finite: Tensor) -> None:
        moved = finite.to(weights[0].dtype)
        size = lr / gathered(self.beta1, counted(slots, finite).to(moved.dtype))
        for weight, gradient, mean, top in zip(weights, gradients, slots["mean"], slots["top"], strict=True):
            dims = weight.dim() - finite.dim()
            movable = per_model(finite, dims)
            mean.lerp_(torch.where(movable, gradient, 0), per_model(moved * (1 - self.beta1), dims))
            risen = torch.maximum(per_model(self.beta2, dims) * top, gradient.abs() + per_model(self.epsilon, dims))
            top.copy_(torch.where(movable, risen, top))
            weight.sub_(torch.where(movable, per_model(size, dims) * mean / top, 0))
