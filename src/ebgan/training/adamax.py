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

from ebgan.schedules import Schedule
from ebgan.training.optim import OptimiserSpec, Slots, beside, gathered, moments


@final
@dataclass(frozen=True, kw_only=True)
class Adamax(OptimiserSpec):
    """Adamax with torch's epsilon and MAGAN's moments."""

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
        for weight, gradient, mean, top, step in zip(weights, gradients, *slots.values(), strict=True):
            axes = (..., *[None] * (weight.dim() - finite.dim()))
            moved = finite.to(weight.dtype)
            mean.lerp_(torch.where(finite[axes], gradient, 0), (moved * (1 - self.beta1))[axes])
            risen = torch.maximum(beside(self.beta2, axes) * top, gradient.abs() + beside(self.epsilon, axes))
            top.copy_(torch.where(finite[axes], risen, top))
            step.add_(finite)
            size = lr / gathered(self.beta1, step.to(weight.dtype))
            weight.sub_(torch.where(finite[axes], size[axes] * mean / top, 0))
