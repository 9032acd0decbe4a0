"""The energy of a critic: one free number for an image, E(x) = -f(x), or [-f(x)]_+ (loss-sensitive GAN; WGAN).

A discriminator's net scores what is real high, whatever it is trained by, and an energy is low there: hence the sign.
The authors of the loss-sensitive GAN let their net end in a ReLU, so that no energy is negative; those of GLS-GAN and
WGAN do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor, nn

from ebgan.energies.base import Energy
from ebgan.errors import UsageError
from ebgan.nets.base import Discriminator
from ebgan.records import Reading


@final
@dataclass(frozen=True, kw_only=True)
class ScalarEnergy(Energy):
    """The negative score of a discriminator's net, without a bound unless it is `nonnegative`."""

    nonnegative: bool = False  # whether it ends in a ReLU

    @property
    def gives(self) -> frozenset[str]:
        return frozenset({"floor"} if self.nonnegative else ())

    def check(self, net: nn.Module) -> None:
        if not isinstance(net, Discriminator):
            raise UsageError(
                "energy: the scalar energy needs a critic as nets.discriminator (MLPDiscriminator), or take the "
                "auto-encoder energy (AutoencoderEnergy)"
            )

    def read(self, net: nn.Module, images: Tensor) -> Reading:
        energy: Tensor = -net(images)
        return Reading(images, energy.relu() if self.nonnegative else energy)

    def features(self, net: nn.Module, images: Tensor) -> Tensor:
        assert isinstance(net, Discriminator)
        return net.features(images)
