"""Adam and SGD along the model axis: each model of a stack has its own learning rate and is updated as by torch.optim.

A model whose loss or gradient is not finite keeps its weights and moments.

Every rule has two regularisers: `weight_decay` adds decay * w to the gradient before the rule, like torch.optim's
coupled decay and LS-GAN's code; `clip` clamps each weight to [-clip, clip] after the update, like WGAN's and GLS-GAN's
code. Both apply to all weights of a net, including biases and batch norms.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from ebgan.errors import check_number
from ebgan.numbers import Number, is_used, per_model
from ebgan.schedules import Schedule

Slots = dict[str, list[Tensor]]

# From so many weights per model on, a stack's models are updated one by one: torch's fused kernel passes over memory
# once, while updating all models together moves four times as many bytes. One by one takes a call for each model in
# place of several for each weight, and so is also faster for few models. Measured on a CPU, estimated for a GPU.
WIDE, WIDE_DEVICE = 30_000, 5_000_000


class OptimiserSpec(ABC):
    """The settings of an optimiser: a learning rate, its decay, and the update rule."""

    lr: float  # or a tensor [*models]
    decay: Schedule | None  # factor on the learning rate, a function of images seen
    weight_decay: float  # times the weight is added to its gradient
    clip: float | None  # largest absolute value of a weight

    def __post_init__(self) -> None:
        shares = {name: getattr(self, name, None) for name in ("beta1", "beta2", "momentum", "rho")}
        check_number("", "above 0", lr=self.lr, clip=self.clip, epsilon=getattr(self, "epsilon", None))
        check_number("", "of 0 or more", weight_decay=self.weight_decay)
        check_number("", "from 0 to below 1", **shares)
        if self.decay is not None:
            check_number("", "of 0 or more", decay=min(self.decay.values_met, default=None))
        for name, value in [*vars(self).items()]:
            if type(value) is int:  # floats, so that experiments which differ in them can form a stack
                object.__setattr__(self, name, float(value))

    @abstractmethod
    def slots(self, weights: Sequence[Tensor], models: tuple[int, ...]) -> Slots:
        """The rule's state for each weight, by name."""

    @abstractmethod
    def move(self, weights: list[Tensor], gradients: list[Tensor], slots: Slots, lr: Tensor, finite: Tensor) -> None:
        """Update weights and slots in place with learning rate lr [*models] or [], for models that are `finite`."""


@final
@dataclass(frozen=True, kw_only=True)
class Adam(OptimiserSpec):
    """Adam (Kingma & Ba, 2015); beta1 is that of Radford et al. for GANs."""

    lr: float
    beta1: float = 0.5
    beta2: float = 0.999
    epsilon: float = 1e-8
    decay: Schedule | None = None
    weight_decay: float = 0.0
    clip: float | None = None

    def slots(self, weights: Sequence[Tensor], models: tuple[int, ...]) -> Slots:
        return moments(weights, models, "mean", "square")

    def move(self, weights: list[Tensor], gradients: list[Tensor], slots: Slots, lr: Tensor, finite: Tensor) -> None:
        if finite.dim() == 0:
            self._move_one(weights, gradients, slots, lr, finite)
        elif self._one_by_one(weights, finite):
            rates = lr.expand_as(finite)
            for model in range(len(finite)):
                here, down = ([each[model] for each in tensors] for tensors in (weights, gradients))
                own = {name: [each[model] for each in kept] for name, kept in slots.items()}
                self._move_one(here, down, own, rates[model], finite[model])
        else:
            self._move_all(weights, gradients, slots, lr, finite)

    def _one_by_one(self, weights: list[Tensor], finite: Tensor) -> bool:
        """Whether a stack's models are so wide, or so few, that updating them one by one is faster.

        Torch's kernel takes betas and epsilon as numbers: models that differ in them are updated together.
        """
        if finite.dim() > 1 or any(isinstance(each, Tensor) for each in (self.beta1, self.beta2, self.epsilon)):
            return False
        least = WIDE if finite.device.type == "cpu" else WIDE_DEVICE
        return 2 * len(finite) <= len(weights) or sum(weight[0].numel() for weight in weights) >= least

    def _move_all(
        self, weights: list[Tensor], gradients: list[Tensor], slots: Slots, lr: Tensor, finite: Tensor
    ) -> None:
        """Update all models at once, each with its own rate, in several passes over memory."""
        moved = finite.to(weights[0].dtype)
        step = counted(slots, finite).to(moved.dtype)
        size, spread = moved * lr / gathered(self.beta1, step), gathered(self.beta2, step)
        share1, share2 = moved * (1 - self.beta1), moved * (1 - self.beta2)
        for weight, gradient, mean, square in zip(weights, gradients, slots["mean"], slots["square"], strict=True):
            dims = weight.dim() - finite.dim()
            movable = per_model(finite, dims)
            gradient = torch.where(movable, gradient, 0)  # noqa: PLW2901
            mean.lerp_(gradient, per_model(share1, dims))
            square.lerp_(gradient.square(), per_model(share2, dims))
            denominator = (square / per_model(spread, dims)).sqrt_()
            denominator.add_(per_model(self.epsilon, dims))
            weight.sub_(torch.where(movable, per_model(size, dims) * mean / denominator, 0))

    def _move_one(
        self, weights: list[Tensor], gradients: list[Tensor], slots: Slots, lr: Tensor, finite: Tensor
    ) -> None:
        """Update one model with torch's fused kernel, which passes over memory once.

        `torch.optim.adam.adam` calls it too, after work for weights on several devices.
        """
        counted(slots, finite)
        torch._fused_adam_(
            weights,
            gradients,
            slots["mean"],
            slots["square"],
            [],
            slots[COUNT],
            lr=lr,
            beta1=self.beta1,
            beta2=self.beta2,
            weight_decay=0.0,
            eps=self.epsilon,
            amsgrad=False,
            maximize=False,
            found_inf=(~finite).float(),
        )


@final
@dataclass(frozen=True, kw_only=True)
class SGD(OptimiserSpec):
    """Gradient descent; the momentum is torch's: v <- momentum v + g, w <- w - lr v."""

    lr: float
    momentum: float = 0.0
    decay: Schedule | None = None
    weight_decay: float = 0.0
    clip: float | None = None

    def slots(self, weights: Sequence[Tensor], models: tuple[int, ...]) -> Slots:  # noqa: ARG002
        return {"velocity": [torch.zeros_like(weight) for weight in weights]} if is_used(self.momentum) else {}

    def move(self, weights: list[Tensor], gradients: list[Tensor], slots: Slots, lr: Tensor, finite: Tensor) -> None:
        velocities = slots.get("velocity", gradients)
        for weight, gradient, velocity in zip(weights, gradients, velocities, strict=True):
            dims = weight.dim() - finite.dim()
            movable = per_model(finite, dims)
            if velocity is not gradient:
                moved = per_model(self.momentum, dims) * velocity + gradient
                velocity.copy_(torch.where(movable, moved, velocity))
            weight.sub_(torch.where(movable, per_model(lr, dims) * velocity, 0))


COUNT = "step"  # the slot that counts updates


def moments(weights: Sequence[Tensor], models: tuple[int, ...], *names: str) -> Slots:
    """Slots of zeros by name, one for each weight, and `step`, which counts the updates of each model.

    All weights share one count, which `counted` increases.
    """
    zeros: Slots = {name: [torch.zeros_like(weight) for weight in weights] for name in names}
    return zeros | {COUNT: [torch.zeros(models, device=weights[0].device)] * len(weights)}


def counted(slots: Slots, finite: Tensor) -> Tensor:
    """Add 1 to the shared step count [*models] of the models that are finite, and return it."""
    return slots[COUNT][0].add_(finite)


def gathered(beta: Number, step: Tensor) -> Tensor:
    """1 - beta^step, Adam's correction for moments that start at 0; computed directly it would lose five digits.

    A float beta stays on the host: copying it to the device in every step would wait for the device.
    """
    return -torch.expm1(step * torch.as_tensor(beta, dtype=step.dtype).log())
