"""Variational GAN (Zhai, Cheng, Feris & Zhang, 2016): a bounded energy of K experts, and the entropy of a batch.

    discriminator   E(x) - E(G(z)) - H~(p_data)
    generator       E(G(z)) - H~(p_g)
    entropy         H~(p) = sum_j H(mean over the batch of sigma_j)

E is the sum over experts of the entropy of sigma_j for one image. By Jensen, E - H~ lies in [-K ln 2, 0]: it is minus
the mutual information, in nats, between each expert's output and the choice of the image in the batch, summed over
experts, and 0 for a collapsed batch.
The paper moves the generator k times for each turn of the discriminator: `Turns(generator=k)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from torch import Tensor

from ebgan.errors import UsageError
from ebgan.objectives.base import Asks, Objective, Stateless
from ebgan.objectives.terms import batch_entropy, expert_similarity
from ebgan.records import Batch, Losses, Means, Reading, Sample


@final
@dataclass(frozen=True, kw_only=True)
class VGAN(Objective[Stateless]):
    """Each expert should be certain about one image and undecided over a batch, both of data and of samples.

    Without samples the discriminator descends E(x) - H~(p_data), since E(x) alone would make experts constant.
    """

    def discriminator(self, state: Stateless, real: Reading, fake: Reading, batch: Batch) -> Losses:
        return self.data_loss(state, real, batch).plus(Losses.of(fake=-fake.energy.mean(-1)))

    def generator(self, state: Stateless, fake: Reading, sample: Sample) -> Losses:
        return Losses.of(fake=fake.energy.mean(-1), entropy=-batch_entropy(_experts(fake)))

    def data_loss(self, state: Stateless, real: Reading, batch: Batch) -> Losses:
        return Losses.of(real=real.energy.mean(-1), entropy=-batch_entropy(_experts(real)))

    def metrics(self, state: Stateless, fake: Reading, means: Means) -> dict[str, Tensor]:
        experts = _experts(fake)
        largest = experts.shape[-1] * math.log(2)
        return {
            "expert_entropy": means.fake / largest,
            "batch_entropy": batch_entropy(experts) / largest,
            "expert_similarity": expert_similarity(experts),
        }

    @property
    def asks(self) -> Asks:
        return Asks(needs=frozenset({"experts"}), alarms=frozenset({"experts saturated"}))


def _experts(reading: Reading) -> Tensor:
    if reading.code is None:
        raise UsageError("VGAN needs an energy with experts: use the experts' energy (ExpertsEnergy)")
    return reading.code
