"""The energy of a classifier of real and fake: E(x) = -log D(x) (Goodfellow et al., 2014, read as an energy)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor, nn
from torch.nn import functional

from ebgan.energies.base import Energy
from ebgan.errors import UsageError
from ebgan.nets.base import Discriminator
from ebgan.records import Reading


@final
@dataclass(frozen=True, kw_only=True)
class LogisticEnergy(Energy):
    """The softplus of the negative logit, finite at any logit; losses are computed from the logits."""

    @property
    def gives(self) -> frozenset[str]:
        return frozenset({"logits", "floor"})

    def check(self, net: nn.Module) -> None:
        if not isinstance(net, Discriminator):
            raise UsageError(
                "energy: the logistic energy needs a classifier as nets.discriminator (MLPDiscriminator), or take the "
                "auto-encoder energy (AutoencoderEnergy)"
            )

    def read(self, net: nn.Module, images: Tensor) -> Reading:
        logits = net(images)
        return Reading(images, functional.softplus(-logits), logits=logits)

    def features(self, net: nn.Module, images: Tensor) -> Tensor:
        assert isinstance(net, Discriminator)
        return net.features(images)
