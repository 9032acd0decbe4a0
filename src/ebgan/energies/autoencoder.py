"""The energy of an auto-encoder: how badly it reconstructs an image (EBGAN, section 2.3, eq. 13).

    norm  ||Dec(Enc(x)) - x||_2        EBGAN; the paper's margins are in this unit
    sse   ||Dec(Enc(x)) - x||_2^2      MAGAN and the Ladder network
    mse   the mean over pixels of the squared error
    l1    the mean over pixels of the absolute error; BEGAN

Each is computed per sample, over all of its pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ebgan.energies.base import Energy
from ebgan.errors import UsageError
from ebgan.nets.base import Autoencoder
from ebgan.records import Reading

Unit = Literal["norm", "sse", "mse", "l1"]


def reconstruction_error(
    unit: Unit, reconstruction: Float[Tensor, "*models batch C H W"], images: Float[Tensor, "*models batch C H W"]
) -> Float[Tensor, "*models batch"]:
    """The error of each sample in the given unit; at zero error, the gradient of the norm is 0."""
    residual: Tensor = (reconstruction - images).flatten(-3)
    match unit:
        case "norm":
            norm: Tensor = _Length.apply(residual)  # type: ignore[no-untyped-call]
            return norm
        case "sse":
            return residual.square().sum(-1)
        case "mse":
            return residual.square().mean(-1)
        case "l1":
            return residual.abs().mean(-1)


class _Length(torch.autograd.Function):
    """The L2 norm over the last axis, whose second derivatives are finite where it is 0, too; torch's are not."""

    generate_vmap_rule = True  # gradients of single images are taken with torch.func

    @staticmethod
    def forward(residual: Tensor) -> Tensor:
        norm: Tensor = torch.linalg.vector_norm(residual, dim=-1)
        return norm

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        residual, norm = ctx.saved_tensors
        scaled: Tensor = residual * (gradient / norm.masked_fill(norm == 0, 1))[..., None]
        return scaled


@final
@dataclass(frozen=True, kw_only=True)
class AutoencoderEnergy(Energy):
    """The reconstruction error; its gradient flows through the reconstruction and through the image itself."""

    unit: Unit = "norm"

    @property
    def gives(self) -> frozenset[str]:
        return frozenset({"code", "floor"})

    def check(self, net: nn.Module) -> None:
        if not isinstance(net, Autoencoder):
            raise UsageError(
                "energy: the auto-encoder energy needs an auto-encoder as nets.discriminator (MLPAutoencoder), or "
                "take the logistic energy (LogisticEnergy)"
            )

    def read(self, net: nn.Module, images: Tensor) -> Reading:
        code, reconstruction = net(images)
        return Reading(images, reconstruction_error(self.unit, reconstruction, images), code=code)

    def features(self, net: nn.Module, images: Tensor) -> Tensor:
        code: Tensor = net(images)[0]
        return code
