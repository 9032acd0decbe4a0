"""The full denoising cost of a Ladder network as energy (Rasmus et al., 2015), a sum over layers.

    E(x) = sum_l lambda_l / d_l ||zhat_l - z_l||^2

z_l are the d_l values of a layer in the pass without noise, and zhat_l the decoder's estimate from the pass with noise.
Above the pixels, zhat_l is standardised with the mean and variance of the pass without noise. For 100 labels on MNIST
the authors' weights are 1000 for the pixels, 10 for the first layer and 0.1 for the others. The EBGAN paper uses only
the bottom layer's cost, the squared error of an auto-encoder: AutoencoderEnergy(unit="sse"), or lambda_0 = d_0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from torch import Tensor, nn

from ebgan.energies.base import Energy
from ebgan.errors import UsageError
from ebgan.nets.base import Denoiser
from ebgan.records import Reading


@final
@dataclass(frozen=True, kw_only=True)
class LadderEnergy(Energy):
    """The weighted squared errors of the lowest layers, one layer for each weight, the pixels first."""

    weights: tuple[float, ...] = (1000.0, 10.0, 0.1, 0.1, 0.1, 0.1, 0.1)  # lambda_l, on the mean over a layer's units

    @property
    def gives(self) -> frozenset[str]:
        return frozenset({"code", "floor"})

    def __post_init__(self) -> None:
        if not self.weights or not all(0 <= weight < math.inf for weight in self.weights):
            raise UsageError(
                f"energy.weights={self.weights}: expected a weight, 0 or more, for each layer from the pixels up"
            )

    def check(self, net: nn.Module) -> None:
        if not isinstance(net, Denoiser):
            raise UsageError(
                "energy: the Ladder network's energy needs it as nets.discriminator (Ladder), or take the auto-encoder "
                "energy (AutoencoderEnergy)"
            )
        if len(self.weights) > net.layers:
            raise UsageError(
                f"energy.weights={self.weights}: {len(self.weights)} weights, and the net has {net.layers} layers, "
                "including pixels and classes: give at most that many weights"
            )

    def read(self, net: nn.Module, images: Tensor) -> Reading:
        assert isinstance(net, Denoiser)
        code, estimates, clean = net.denoise(images, len(self.weights))
        errors = [(guess - true).square().mean(-1) for guess, true in zip(estimates, clean, strict=True)]
        first, *others = (weight * error for weight, error in zip(self.weights, errors, strict=True))
        return Reading(images, sum(others, start=first), code=code)

    def features(self, net: nn.Module, images: Tensor) -> Tensor:
        assert isinstance(net, Denoiser)
        return net.encode(images)
