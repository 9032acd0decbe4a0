"""Defaults of the anomaly detector: objectives by name, and nets for tables and small images."""

from __future__ import annotations

import math
from typing import Any, Literal

from ebgan.energies import AutoencoderEnergy, Energy, ExpertsEnergy, LogisticEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Data, Experiment, Nets, Optimisers
from ebgan.nets.base import DiscriminatorSpec
from ebgan.nets.bottleneck import BottleneckAutoencoder
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.objectives import BEGAN, EBGAN, MAGAN, Objective
from ebgan.samplers import Noised, Prior
from ebgan.training.game import Turns
from ebgan.training.optim import Adam

Shape = tuple[int, int, int]
Name = Literal["autoencoder", "ebgan", "ebgan_pt", "began", "magan"]
Code = Literal["narrow", "wide"]

OBJECTIVES: dict[Name, Objective[Any]] = {
    "autoencoder": EBGAN(margin=None),
    "ebgan": EBGAN(margin=None),
    "ebgan_pt": EBGAN(margin=None, pulling_away=0.1),
    "began": BEGAN(),
    "magan": MAGAN(),
}
ALONE = 3  # pretraining, without the generator, takes one in this many of the steps
NARROW = 4  # features per unit of a narrow code
STACKED = (BottleneckAutoencoder, MLPAutoencoder, MLPDiscriminator, MLPExperts)  # nets that can be stacked


def experiment(
    shape: Shape,
    limits: tuple[float, float] | None,
    *,
    objective: Name | Objective[Any],
    noised: float,
    noise: float,
    code: Code | int,
    nets: Nets | None,
    steps: int,
    batch: int,
    learning_rate: float,
    seed: int,
) -> Experiment:
    """The experiment of a detector on rows of `shape` [C, H, W]: table rows if `limits` is None, else images."""
    chosen = named(objective)
    adam = Adam(lr=learning_rate)
    alone = objective == "autoencoder"
    return Experiment(
        data=Data(limits=limits),
        nets=nets or default_nets(shape, chosen, code),
        energy=energy_for(chosen),
        sampler=Noised(share=noised, noise=noise) if noised else Prior(),
        objective=chosen,
        optimisers=Optimisers(discriminator=adam, generator=adam),
        turns=Turns(generator=0) if alone else Turns(),
        images=steps * batch,
        pretraining=-(-steps // ALONE) * batch,
        batch=batch,
        precision="fp32",
        seed=seed,
    )


def named(objective: Name | Objective[Any]) -> Objective[Any]:
    """The objective with this name, or the given one. Raises UsageError for others, and if it needs labels."""
    if isinstance(objective, str):
        if objective not in OBJECTIVES:
            raise UsageError(
                f"objective={objective!r}: expected {', '.join(OBJECTIVES)}, or a value of ebgan.objectives"
            )
        return OBJECTIVES[objective]
    if not isinstance(objective, Objective):
        raise UsageError(f"objective={objective!r}: expected a name or a value of ebgan.objectives")
    if objective.asks.classifies or objective.asks.conditional:
        raise UsageError(
            f"objective: {type(objective).__name__} needs labels or source images, and a detector has none"
        )
    return objective


def energy_for(objective: Objective[Any]) -> Energy:
    """The energy that suits an objective: an auto-encoder's, unless it needs logits or experts."""
    needs = objective.asks.needs
    if "experts" in needs:
        return ExpertsEnergy()
    return LogisticEnergy() if "logits" in needs else AutoencoderEnergy()


def default_nets(shape: Shape, objective: Objective[Any], code: Code | int) -> Nets:
    """A generator and a discriminator for rows of `shape` [C, H, W]."""
    features = math.prod(shape)
    width = min(max(64, 2 * features), 512)
    noise = min(max(features // 2, 2), 32)
    generator = MLPGenerator(depth=3, width=width, noise=noise, batch_norm=False, std=0.1)
    return Nets(generator=generator, discriminator=_discriminator(features, width, objective, code))


def code_units(features: int, code: Code | int) -> int:
    """The units of a code: a quarter of the features ("narrow"), twice as many ("wide"), or a number.

    Raises UsageError for another word.
    """
    if isinstance(code, str):
        sizes: dict[str, int] = {"narrow": max(features // NARROW, 1), "wide": 2 * features}
        if code not in sizes:
            raise UsageError(f"code={code!r}: expected narrow, wide or a number of units")
        return min(sizes[code], 512)
    return code


def _discriminator(features: int, width: int, objective: Objective[Any], code: Code | int) -> DiscriminatorSpec:
    energy = energy_for(objective)
    if isinstance(energy, ExpertsEnergy):
        return MLPExperts(depth=3, width=width, experts=32)
    if isinstance(energy, LogisticEnergy):
        return MLPDiscriminator(depth=3, width=width, batch_norm=False, std=0.1)
    return BottleneckAutoencoder(width=width, code=code_units(features, code))
