"""The base of energy functions: the energy of images, computed by the discriminator's net."""

from __future__ import annotations

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn

from ebgan.records import Reading


class Energy(ABC):
    """An energy function has no weights: all that is trained is in the net passed to it.

    Subclasses are final, frozen dataclasses. `gives` names what else a reading has: "code"; "logits"; "experts" if
    the code is the logits of experts; and "floor" if the energy is never below 0.
    """

    @property
    def gives(self) -> frozenset[str]:
        """What objectives may need (`Asks.needs`): a subset of "code", "logits", "experts" and "floor"."""
        return frozenset()

    @abstractmethod
    def check(self, net: nn.Module) -> None:
        """Raise UsageError, with the mend, if this kind of net does not fit the energy."""

    @abstractmethod
    def read(self, net: nn.Module, images: Float[Tensor, "*models batch C H W"]) -> Reading:
        """Read images with the net; the energy is [*models, batch], at least float32."""

    @abstractmethod
    def features(
        self, net: nn.Module, images: Float[Tensor, "*models batch C H W"]
    ) -> Float[Tensor, "*models batch features"]:
        """The features from which the energy is computed, for linear probes and metrics."""
