"""Layers with a model axis: one set of weights for each model, so that a stack computes k separate models at once.

Layers of `convolutions` have no model axis. This module initialises the weights of all layers, and sets their dtype.

A layer's arithmetic follows the dtype of its weights (float32, bfloat16 or float64, chosen when the nets are built);
batch norm computes its statistics in float32 or better and keeps its own parameters there.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from ebgan.distributed import mean_across_ranks, rank
from ebgan.numbers import Number, per_model
from ebgan.randomness import Randomness

Models = tuple[int, ...]
Net = TypeVar("Net", bound=nn.Module)
DEEPEST = 1000  # layers of a net


class Weighted(nn.Module, ABC):
    """A layer whose weights are drawn by `initialise`; it computes in their dtype."""

    weight: nn.Parameter  # [*models, ...]
    summed: int  # number of inputs summed in each output

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """The outputs for a batch."""


class Dense(Weighted):
    """y = x W^T + b with one W [out, in] and, with `bias`, one b [out] for each model."""

    def __init__(self, inputs: int, outputs: int, models: Models = (), bias: bool = True) -> None:
        super().__init__()
        self.summed = inputs
        self.weight = nn.Parameter(torch.zeros(*models, outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(*models, outputs)) if bias else None

    def forward(self, x: Float[Tensor, "*models batch inputs"]) -> Float[Tensor, "*models batch outputs"]:
        x = x.to(self.weight.dtype)
        if self.weight.dim() == 2:
            return functional.linear(x, self.weight, self.bias)
        if self.bias is None:
            return x @ self.weight.mT
        return torch.baddbmm(self.bias[..., None, :], x, self.weight.mT)


class Wide(nn.Module):
    """A layer that computes in float32 or better, whatever the precision of matrix products."""


class Coupled(nn.Module):
    """A layer whose output for a sample depends on other samples of the pass, or on the number of earlier samples."""


def couples(net: nn.Module) -> bool:
    """Whether a net has a coupled layer; if not, one pass of two joined batches equals two passes."""
    return any(isinstance(module, Coupled | _BatchNorm | _DropoutNd) for module in net.modules())


def across_models(
    x: Float[Tensor, "*models batch features"], normalise: Callable[[Tensor], Tensor]
) -> Float[Tensor, "*models batch features"]:
    """Apply `normalise` to rows [batch, features] of all models at once, by flattening the model axis into features."""
    rows = x.movedim(-2, 0)
    return normalise(rows.flatten(1)).view(rows.shape).movedim(0, -2)


class BatchNorm(Wide, Coupled):
    """Batch normalisation over the batch axis, for each model separately, with torch's conventions (momentum, epsilon).

    Statistics are those of the whole batch on all ranks, so that one rank and many train the same model.
    """

    def __init__(self, features: int, models: Models = (), momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.scale = nn.Parameter(torch.ones(*models, features))
        self.shift = nn.Parameter(torch.zeros(*models, features))
        self.mean: Tensor
        self.variance: Tensor
        self.register_buffer("mean", torch.zeros(*models, features))
        self.register_buffer("variance", torch.ones(*models, features))

    def forward(self, x: Float[Tensor, "*models batch features"]) -> Float[Tensor, "*models batch features"]:
        if rank().count == 1 and x.shape[-2] > 1:
            return self._by_torch(x) if x.dim() == 2 else across_models(x, self._by_torch)
        wide = x.to(self.scale.dtype)
        mean, variance = self._of_batch(wide) if self.training else (self.mean, self.variance)
        factor = self.scale * (variance + self.epsilon).rsqrt()
        offset = self.shift - mean * factor
        return torch.addcmul(offset[..., None, :], wide, factor[..., None, :]).to(x.dtype)

    def _by_torch(self, rows: Tensor) -> Tensor:
        """Normalise with torch's kernel, the features of all models concatenated."""
        running, both = (self.mean.view(-1), self.variance.view(-1)), (self.scale.flatten(), self.shift.flatten())
        return functional.batch_norm(rows, *running, *both, self.training, self.momentum, self.epsilon)

    def _of_batch(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean = mean_across_ranks(x.mean(-2))
        variance = mean_across_ranks((x - mean[..., None, :]).square().mean(-2))
        with torch.no_grad():
            count = x.shape[-2] * rank().count
            self.mean.lerp_(mean, self.momentum)
            self.variance.lerp_(variance * (count / max(count - 1, 1)), self.momentum)
        return mean, variance


class Dropout(Coupled):
    """In training, zero each unit with probability `rate` [*models] and scale up the rest.

    The masks are a function of the seed and of how many samples the layer has seen, which is a buffer: a resumed run,
    a stack and a group of ranks drop the same units as one uninterrupted process.
    """

    def __init__(self, rate: Number, randomness: Randomness, purpose: str) -> None:
        super().__init__()
        models = randomness.seeds.shape
        self.purpose, self.randomness = purpose, randomness
        self.seen: Tensor
        self.rate: Tensor
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.register_buffer("rate", torch.as_tensor(rate, dtype=torch.float32).expand(models), persistent=False)
        self.ahead = True  # whether masks of several steps may be drawn at once
        self._known = self.seen, 0, 0  # the buffer, its version and what it held then

    def forward(self, x: Float[Tensor, "*models batch features"]) -> Float[Tensor, "*models batch features"]:
        if not self.training:
            return x
        batch, features = x.shape[-2:]
        before, rate = self._before(), per_model(self.rate, 2)
        uniform = self.randomness.uniform(self.purpose, batch, features, first=before + rank().index * batch)
        self.seen.add_(batch * rank().count)
        if isinstance(before, int):
            self._known = self.seen, self.seen._version, before + batch * rank().count
        return x * ((uniform > rate) / (1 - rate)).to(x.dtype)

    def _before(self) -> int | Tensor:
        """The number of samples seen, known on the host so that masks of many batches can be drawn at once.

        It is read from the device, with a wait, only after the buffer was loaded or moved.
        """
        if not self.ahead:
            return self.seen
        buffer, version, count = self._known
        if buffer is self.seen and version == self.seen._version:
            return count
        return 0 if self.seen.is_meta else int(self.seen)


def widened(x: Tensor) -> Tensor:
    """The tensor in float32 or better: nets return outputs in full precision."""
    return x.float() if x.dtype.itemsize < 4 else x


Spread = Number | Callable[[Weighted], float]


def he(layer: Weighted) -> float:
    """The standard deviation of weights that preserves the scale before a ReLU (He et al., 2015)."""
    return math.sqrt(2 / layer.summed)


def glorot(layer: Weighted) -> float:
    """The standard deviation of Glorot & Bengio (2010), a compromise between forward and backward, for one model."""
    first, second, *kernel = layer.weight.shape
    return math.sqrt(2 / ((first + second) * math.prod(kernel)))


def initialise(net: Net, randomness: Randomness, purpose: str, std: Spread, *, uniform: bool = False) -> Net:
    """Draw every weight of a net from N(0, std^2), keyed by its name; biases stay 0, and batch norm the identity.

    `std` is a number, a tensor [*models], or a function of the layer. With `uniform` the weights come from the uniform
    distribution of the same standard deviation. Returns the net, on the device of `randomness`.
    """
    net.to(randomness.seeds.device)
    if randomness.seeds.is_meta:  # on the meta device nets are only counted
        return net
    models = randomness.seeds.dim()
    for name, layer in _weighted(net):
        shape = layer.weight.shape[models:]
        spread = torch.as_tensor(std(layer) if callable(std) else std, device=randomness.seeds.device)
        if uniform:
            values = (2 * randomness.uniform(f"{purpose}.{name}", *shape) - 1) * math.sqrt(3)
        else:
            values = randomness.normal(f"{purpose}.{name}", *shape)
        with torch.no_grad():
            layer.weight.copy_(values * spread[(..., *[None] * len(shape))])
    return net


def compute_in(net: nn.Module, dtype: torch.dtype) -> None:
    """Make a net compute in a dtype; batch norm stays in float32 or better."""
    wide = torch.promote_types(dtype, torch.float32)
    for _, layer in _weighted(net):
        layer.to(dtype)
    for module in net.modules():
        if isinstance(module, Wide):
            module.to(wide)


def _weighted(net: nn.Module) -> Iterator[tuple[str, Weighted]]:
    return ((name, module) for name, module in net.named_modules() if isinstance(module, Weighted))
