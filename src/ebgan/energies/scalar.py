"""The energy of a critic: an unrestricted number for each image, E(x) = -f(x), or [-f(x)]_+ (loss-sensitive GAN; WGAN).

A critic's score is high for real images and an energy is low: hence the sign. In the code of the loss-sensitive GAN the
net ends in a ReLU, so that no energy is negative; in GLS-GAN and WGAN it does not.
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
    """The negative output of the discriminator's net, unbounded unless `nonnegative`."""

    nonnegative: bool = False  # whether to apply a ReLU

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
