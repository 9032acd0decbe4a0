"""Learn classes from a few labels, and an energy from all images: the Ladder network and EBGAN-LN (EBGAN, appendix D).

    discriminator   -log p(y|x) of the labelled images + weight (the inner objective's loss on all images and samples)
    generator       the inner objective's loss

EBGAN-LN is `SemiSupervised(inner=Scheduled(EBGAN(margin=16.0), margin=Linear(...)), weight=1000 / 784)` with the Ladder
network's squared error of the pixels as the energy. If the generator has no turn, or the margin is 0, this is
the Ladder network itself. The paper does not say whether the weight also applies to the samples' term: see `weighs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final

from torch import Tensor

from ebgan.errors import UsageError, check_number
from ebgan.objectives.base import Asks, Objective, Place
from ebgan.objectives.terms import class_loss
from ebgan.objectives.wrapper import Wrapper
from ebgan.records import Batch, Losses, Reading

State = tuple[Any, ...]


@final
@dataclass(frozen=True, kw_only=True)
class SemiSupervised(Wrapper[State]):
    """Add the cross-entropy of the classes of labelled images to any objective of energies."""

    inner: Objective[Any]
    weight: float = 1000 / 784  # of the inner objective in D's loss; the paper's, for squared errors
    weighs: Literal["all", "data"] = "all"  # apply the weight to the whole inner loss, or to its `data_loss` only

    def __post_init__(self) -> None:
        check_number("objective", "of 0 or more", weight=self.weight)
        if self.inner.asks.classifies:
            raise UsageError(
                "objective.inner: is semi-supervised already; give an objective of energies, such as EBGAN"
            )

    def discriminator(self, state: State, real: Reading, fake: Reading, batch: Batch) -> Losses:
        losses = self.inner.discriminator(state, real, fake, batch)
        if self.weighs == "all":
            return self._weighted(losses)
        data = self.inner.data_loss(state, real, batch)
        return losses.plus(Losses.of(data=(self.weight - 1) * data.total))

    def penalty(self, state: State, place: Place, slopes: Tensor) -> Losses:
        return self._weighted(self.inner.penalty(state, place, slopes))

    def data_loss(self, state: State, real: Reading, batch: Batch) -> Losses:
        return self._weighted(self.inner.data_loss(state, real, batch))

    def classification(self, state: State, logits: Tensor, labels: Tensor) -> Losses:
        return Losses.of(classes=class_loss(logits, labels))

    @property
    def asks(self) -> Asks:
        return super().asks._replace(classifies=True)

    def _weighted(self, losses: Losses) -> Losses:
        return Losses(self.weight * losses.total, {name: self.weight * term for name, term in losses.terms.items()})
