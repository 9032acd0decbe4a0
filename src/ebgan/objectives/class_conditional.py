"""Any objective for an energy of images and classes, with wrong classes as further negatives.

    discriminator   the inner objective's, of E(x, y) and E(G(z, y), y)
                    + weight * the same of E(x, y'), y' != y, in place of the samples, without the data's term
    generator       the inner objective's, of E(G(z, y), y)

With EBGAN inside, the discriminator's loss is E(x, y) + [m - E(G(z, y), y)]_+ + weight [m - E(x, y')]_+: pairs of an
image and a wrong class are pushed up to the margin as samples are. Without that term the energy may ignore the class.
The wrong class is drawn evenly from the others, anew for each image of each turn. The EBGAN paper names conditional
generation as later work; the term is that of wrong pairs in Reed et al. (2016), as a hinge. With a weight of 0 and
shifts of 0 (`nets.by_class`) this is the inner objective.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from ebgan.errors import UsageError, check_number
from ebgan.numbers import Number
from ebgan.objectives.base import Asks, Objective
from ebgan.objectives.wrapper import Wrapper
from ebgan.records import Batch, Losses, Reading

State = tuple[Any, ...]


@final
@dataclass(frozen=True, kw_only=True)
class ClassConditional(Wrapper[State]):
    """Add the energies of data under wrong classes to the discriminator's loss, as those of samples."""

    inner: Objective[Any]
    weight: float = 1.0  # of the wrong classes

    def __post_init__(self) -> None:
        check_number("objective", "of 0 or more", weight=self.weight)
        if self.inner.asks.classifies or self.inner.asks.misnames:
            raise UsageError("objective.inner: learns classes already; give an objective of energies, such as EBGAN")

    def misnamed(self, state: State, real: Reading, wrong: Reading, batch: Batch) -> Losses:
        both = self.inner.discriminator(state, real, wrong, batch)
        alone = self.inner.data_loss(state, real, batch)
        weight: Number = self.weight
        return Losses.of(wrong_class=weight * (both.total - alone.total))

    @property
    def asks(self) -> Asks:
        """What the inner objective asks for, and data under wrong classes."""
        return super().asks._replace(misnames=True)
