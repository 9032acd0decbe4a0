"""Adadelta along the model axis: steps in proportion to earlier steps (Zeiler, 2012, algorithm 1).

square <- rho square + (1 - rho) g^2
step    = sqrt(travel + epsilon) / sqrt(square + epsilon) g
travel <- rho travel + (1 - rho) step^2
w      <- w - lr step
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from ebgan.numbers import per_model
from ebgan.schedules import Schedule
from ebgan.training.optim import OptimiserSpec, Slots


@final
@dataclass(frozen=True, kw_only=True)
class Adadelta(OptimiserSpec):
    """Adadelta with Lasagne's rho and epsilon, and VGAN's learning rate."""

    lr: float = 0.1
    rho: float = 0.95
    epsilon: float = 1e-6
    decay: Schedule | None = None
    weight_decay: float = 0.0
    clip: float | None = None

    def slots(self, weights: Sequence[Tensor], models: tuple[int, ...]) -> Slots:  # noqa: ARG002
        return {name: [torch.zeros_like(weight) for weight in weights] for name in ("square", "travel")}

    def move(self, weights: list[Tensor], gradients: list[Tensor], slots: Slots, lr: Tensor, finite: Tensor) -> None:
        for weight, gradient, square, travel in zip(weights, gradients, *slots.values(), strict=True):
            dims, moved = weight.dim() - finite.dim(), finite.to(weight.dtype)
            epsilon, share = per_model(self.epsilon, dims), per_model(moved * (1 - self.rho), dims)
            gradient = torch.where(per_model(finite, dims), gradient, 0)  # noqa: PLW2901
            square.lerp_(gradient.square(), share)
            step = gradient * (travel + epsilon).sqrt_() / (square + epsilon).sqrt_()
            travel.lerp_(step.square(), share)
            weight.sub_(per_model(moved * lr, dims) * step)
