"""The optimiser of a net: its weights in full precision, and their update rule.

The optimiser holds the weights in float32 or better. If a net computes in bfloat16, its weights are copies that are
refreshed after each update, so that small steps are not rounded away and no weight is cast twice a step.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ebgan.distributed import rank, sum_across_ranks
from ebgan.numbers import is_used, per_model
from ebgan.training.fall import Fall
from ebgan.training.optim import OptimiserSpec

NEVER = Fall()
SMALL = 500_000  # up to so many weights, a CPU checks gradients for NaN with a kernel that also rewrites them
SHORT = 4096  # up to this length, copying a gradient is cheaper than a separate sum


class Optimiser:
    """A net's weights, the rule that updates them, and the rule's state."""

    def __init__(self, spec: OptimiserSpec, net: nn.Module, models: tuple[int, ...] = (), fall: Fall = NEVER) -> None:
        self.spec, self.models = spec, models
        self.fall = fall if fall.finish else None
        self.names = [name for name, _ in net.named_parameters()]
        self.parameters = list(net.parameters())
        self.weights = [_float32(parameter) for parameter in self.parameters]
        self.slots = spec.slots(self.weights, models)
        self._wide: list[Tensor] = []
        first = self.weights[0]
        self._lr = torch.as_tensor(spec.lr, dtype=torch.float32, device=first.device)
        self._decays = is_used(spec.weight_decay)
        self._small = first.device.type != "cpu" or sum(weight.numel() for weight in self.weights) <= SMALL
        self._clip = None if spec.clip is None else torch.as_tensor(spec.clip, dtype=first.dtype, device=first.device)

    @property
    def scheduled(self) -> bool:
        """Whether the learning rate is a function of the images seen."""
        return self.spec.decay is not None or self.fall is not None

    def learning_rate(self, seen: Tensor, factor: Tensor | None = None) -> Tensor:
        """The learning rate [*models] or [] after so many images seen, times a factor [*models]."""
        lr = self._lr if self.spec.decay is None else self._lr * self.spec.decay.at(seen)
        lr = lr if self.fall is None else lr * self.fall.at(seen)
        return lr if factor is None else lr * factor

    def descend(
        self, loss: Tensor, seen: Tensor, factor: Tensor | None = None, movable: Tensor | None = None
    ) -> Tensor:
        """Move the weights down a loss [*models]; return whether [*models] each model's loss and gradients were finite.

        `factor` [*models] multiplies the learning rate. A model that is not `movable` [*models] stays, and counts as
        not finite. Each rank's gradients come from its own slice of the batch and are summed over ranks.
        """
        gradients = list(torch.autograd.grad(loss.sum() if self.models else loss, self.parameters))
        with torch.no_grad():
            if rank().count > 1:  # in full precision, as one rank sums its own
                pairs = zip(gradients, self.weights, strict=True)
                gradients = sum_across_ranks([gradient.to(weight.dtype) for gradient, weight in pairs])
            gradients = self._widened(gradients)
            finite = self._finite(loss, gradients)
            if movable is not None:
                finite = finite & movable
            if self._decays:
                gradients = self._with_decay(gradients)
            self.spec.move(self.weights, gradients, self.slots, self.learning_rate(seen, factor), finite)
            if self._clip is not None:
                self._project(torch.where(finite, self._clip, torch.inf))
            self.refresh()
        return finite

    def refresh(self) -> None:
        """Bring the net's copies of the weights up to date."""
        copies = [
            (parameter.detach(), weight)
            for parameter, weight in zip(self.parameters, self.weights, strict=True)
            if parameter.dtype != weight.dtype
        ]
        if copies:
            targets, sources = zip(*copies, strict=True)
            torch._foreach_copy_(list(targets), list(sources))

    def _widened(self, gradients: list[Tensor]) -> list[Tensor]:
        """Gradients in the weights' dtype, in memory that is kept: fresh pages would cost more than the copy.

        Torch's kernels pair numbers by their place in memory, which for gradients of convolutions may be another.
        """
        pairs = zip(gradients, self.weights, strict=True)
        if all(gradient.dtype == weight.dtype and gradient.stride() == weight.stride() for gradient, weight in pairs):
            return gradients
        self._wide = self._wide or [torch.empty_like(weight) for weight in self.weights]
        torch._foreach_copy_(self._wide, gradients)
        return self._wide

    def _with_decay(self, gradients: list[Tensor]) -> list[Tensor]:
        """The gradient of the loss plus half the weight decay times the squared length of the weights."""
        decay = self.spec.weight_decay
        return [
            gradient + per_model(decay, weight.dim() - len(self.models)) * weight
            for gradient, weight in zip(gradients, self.weights, strict=True)
        ]

    def _project(self, bound: Tensor) -> None:
        """Clip every weight to [-bound, bound], where bound is [*models]."""
        for weight in self.weights:
            limit = per_model(bound, weight.dim() - len(self.models))
            weight.clamp_(-limit, limit)

    def _finite(self, loss: Tensor, gradients: list[Tensor]) -> Tensor:
        """Check with one kernel for one small model, else by sums, which are finite only if all values are.

        Short gradients are concatenated and summed together.
        """
        if not self.models and self._small:
            found = torch.zeros((), device=loss.device)
            torch._amp_foreach_non_finite_check_and_unscale_([*gradients, loss.detach()], found, torch.ones_like(found))
            return found == 0
        dims = len(self.models)
        rows = [each.flatten(dims) if each.dim() > dims else each[..., None] for each in (loss.detach(), *gradients)]
        short = [row.to(gradients[0].dtype) for row in rows if row.shape[-1] <= SHORT]
        long = [row for row in rows if row.shape[-1] > SHORT]
        return torch.stack([row.sum(-1) for row in (torch.cat(short, -1), *long)]).isfinite().all(0)


def _float32(parameter: nn.Parameter) -> Tensor:
    """The parameter itself if it is float32 or better, else a float32 copy."""
    wide = torch.promote_types(parameter.dtype, torch.float32)
    return parameter.detach().to(wide)
