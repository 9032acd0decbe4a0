"""An energy function: how a discriminator's net says how far an image is from the data."""

from __future__ import annotations

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn

from ebgan.records import Reading


class Energy(ABC):
    """A value, like an objective: all that learns is in the net that it reads through.

    Subclasses are final, frozen dataclasses. `gives` names what their readings hold besides the energy: "code",
    "logits", "experts" where the code is logits of experts; and "floor" where no energy is below 0.
    """

    @property
    def gives(self) -> frozenset[str]:
        """What an objective may need of it."""
        return frozenset()

    @abstractmethod
    def check(self, net: nn.Module) -> None:
        """Raise UsageError, with the mend, if the net is of a kind that has no such energy."""

    @abstractmethod
    def read(self, net: nn.Module, images: Float[Tensor, "*models batch C H W"]) -> Reading:
        """The reading of images through a net; the energy is [*models, batch] in float32 or better."""

    @abstractmethod
    def features(
        self, net: nn.Module, images: Float[Tensor, "*models batch C H W"]
    ) -> Float[Tensor, "*models batch features"]:
        """The layer below the energy, for linear probes and metrics."""
