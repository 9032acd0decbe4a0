"""The energy of K experts (VGAN; Zhai et al., 2016): the sum of their entropies for an image.

    E(x) = sum_j H(sigma_j),    sigma_j = sigmoid(W_j phi(x) + b_j) clipped to [c, 1 - c]
    H(s) = -s log s - (1 - s) log(1 - s)

In nats, 0 <= E <= K ln 2; the paper's bound K is in bits. The authors' code has c = 1e-4. A clipped expert has no
gradient. The code of a reading is the clipped logits, so that sigmoid(code) is sigma_j.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from ebgan.energies.base import Energy
from ebgan.errors import UsageError
from ebgan.nets.base import Experts
from ebgan.numbers import per_model
from ebgan.records import Reading


def indecision(logits: Float[Tensor, "*models batch experts"]) -> Float[Tensor, "*models batch"]:
    """Sum over experts of the binary entropy, in nats, of their probabilities; -log sigmoid(a) is softplus(-a)."""
    return (logits.sigmoid() * softplus(-logits) + (-logits).sigmoid() * softplus(logits)).sum(-1)


@final
@dataclass(frozen=True, kw_only=True)
class ExpertsEnergy(Energy):
    """The sum of the experts' entropies; the code is their clipped logits."""

    clip: float = 1e-4  # c, the lowest probability of an expert

    @property
    def gives(self) -> frozenset[str]:
        return frozenset({"code", "experts", "floor"})

    def __post_init__(self) -> None:
        if not isinstance(self.clip, Tensor) and not 0 < self.clip < 0.5:
            raise UsageError(f"energy.clip={self.clip}: expected a probability between 0 and 0.5")

    def check(self, net: nn.Module) -> None:
        if not isinstance(net, Experts):
            raise UsageError(
                "energy: the experts' energy needs experts as nets.discriminator (MLPExperts), or take the "
                "auto-encoder energy (AutoencoderEnergy)"
            )

    def read(self, net: nn.Module, images: Tensor) -> Reading:
        experts: Tensor = self.clipped(net(images))
        return Reading(images, indecision(experts), code=experts)

    def clipped(self, logits: Tensor) -> Tensor:
        """Logits [*models, batch, experts] of probabilities in [clip, 1 - clip]."""
        if not isinstance(self.clip, Tensor):
            bound = math.log1p(-self.clip) - math.log(self.clip)
            return logits.clamp(-bound, bound)
        far = -per_model(torch.logit(self.clip), 2).to(logits.dtype)
        return torch.minimum(torch.maximum(logits, -far), far)

    def features(self, net: nn.Module, images: Tensor) -> Tensor:
        assert isinstance(net, Experts)
        return net.features(images)
