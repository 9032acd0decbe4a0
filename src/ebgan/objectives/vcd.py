"""Variational contrastive divergence (Zhai, Cheng, Feris & Zhang, 2016, section 6): VGAN with samples near the data.

    discriminator   E(x) - E(x~) - H~(p_data)
    generator       rho E(x~) + (1 - rho) |x - Decode(Encode(x))|^2        (eq. 10)

x~ is a transition from an image x of the data (`samplers/transition.py`). The reconstruction term holds x~ near x, so
that the samples have about the entropy of the data, and eq. 10 needs no H~(p_g). The authors' code and the paper's
algorithm 2 do have it, as rho (E(x~) - H~(p_g)): `entropy=True`.

The meaning of rho depends on the unit of the reconstruction error. The paper takes the squared L2 norm over all pixels
of images in [0, 1]; on [-1, 1] it is 4 times as large. The authors' code takes the mean over pixels of the binary
cross-entropy, with reconstructions clipped to [0.0001, 0.9999]: smaller by a factor of hundreds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from jaxtyping import Float
from torch import Tensor

from ebgan.errors import UsageError, check_number
from ebgan.objectives.base import Asks, Objective, Stateless
from ebgan.objectives.vgan import VGAN
from ebgan.records import Batch, Losses, Means, Reading, Sample

CLIP = 1e-4  # lowest probability of a pixel in the cross-entropy
Error = Literal["squared", "cross_entropy"]


@final
@dataclass(frozen=True, kw_only=True)
class VCD(Objective[Stateless]):
    """VGAN's discriminator loss; the generator, an auto-encoder, lowers the energy of its samples."""

    rho: float = 0.01  # weight of the samples' energy, and 1 - rho of the reconstruction: the paper's best on MNIST
    reconstruction: Error = "squared"  # the squared error summed over pixels, or the mean cross-entropy
    entropy: bool = False  # whether the generator also raises the entropy of its batch

    def __post_init__(self) -> None:
        check_number("objective", "from 0 to 1", rho=self.rho)

    @classmethod
    def authors_code(cls, rho: float = 0.01) -> VCD:
        """The objective of the authors' code where it differs from the paper."""
        return cls(rho=rho, reconstruction="cross_entropy", entropy=True)

    def discriminator(self, state: Stateless, real: Reading, fake: Reading, batch: Batch) -> Losses:
        return VGAN().discriminator(state, real, fake, batch)

    def generator(self, state: Stateless, fake: Reading, sample: Sample) -> Losses:
        terms = VGAN().generator(state, fake, sample).terms if self.entropy else {"fake": fake.energy.mean(-1)}
        weighed = {name: self.rho * term for name, term in terms.items()}
        return Losses.of(**weighed, reconstruction=(1 - self.rho) * _error(self.reconstruction, sample).mean(-1))

    def data_loss(self, state: Stateless, real: Reading, batch: Batch) -> Losses:
        return VGAN().data_loss(state, real, batch)

    def metrics(self, state: Stateless, fake: Reading, means: Means) -> dict[str, Tensor]:
        return VGAN().metrics(state, fake, means)

    @property
    def asks(self) -> Asks:
        limits = (0.0, 1.0) if self.reconstruction == "cross_entropy" else None
        return VGAN().asks._replace(conditional=True, limits=limits)


def reconstruction_error(
    kind: Error, given: Float[Tensor, "*models batch C H W"], found: Float[Tensor, "*models batch C H W"]
) -> Float[Tensor, "*models batch"]:
    """The error of each image `found` against `given`: the sum of squares, or the mean cross-entropy in nats."""
    given, found = given.flatten(-3), found.flatten(-3)
    if kind == "squared":
        return (found - given).square().sum(-1)
    found = found.clamp(CLIP, 1 - CLIP)
    return -(given * found.log() + (1 - given) * (1 - found).log()).mean(-1)


def _error(kind: Error, sample: Sample) -> Tensor:
    if sample.source is None or sample.reconstruction is None:
        raise UsageError("VCD needs samples with source and reconstruction: use the transition sampler (Transition)")
    return reconstruction_error(kind, sample.source, sample.reconstruction)
