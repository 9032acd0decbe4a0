"""Energies that are trained on normal images: each method beside the same auto-encoder alone, with as many steps.

    auto-encoder alone              784-256-32-256-784 on MNIST, no negatives
    EBGAN, noised                   the same with a generator, half of the negatives noised data (`Noised`)
    spherical auto-encoder alone    the same but for codes of unit length and a decoder that ends in the data's range
    NAE                             that one, whose last steps have chains as negatives (`Langevin`)

Widths, rates and noise were set once and not tuned. Pixels are in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from ebgan.detection.training import energies, train
from ebgan.energies import AutoencoderEnergy
from ebgan.experiment import Data, Experiment, Nets, Optimisers
from ebgan.nets.bottleneck import BottleneckAutoencoder
from ebgan.nets.mlp import MLPGenerator
from ebgan.nets.spherical import SphericalAutoencoder
from ebgan.objectives import EBGAN
from ebgan.recipes.normalised import normalised
from ebgan.samplers import Langevin, Noised
from ebgan.training.game import Turns
from ebgan.training.optim import Adam

LIMITS = (0.0, 1.0)
BATCH = 64
WIDTH, CODE = 256, 32
NOISE = 0.25  # standard deviation of the noised data
MARGIN = 0.1  # share of the way from the energy reached alone to the mean image's, as of `EnergyAnomalyDetector`
LATE = 10  # of this many steps of a normalised auto-encoder, the last has chains
CHAINS = Langevin(chains=2_000, steps=20)


def noised(steps: int, seed: int) -> Experiment:
    """EBGAN with samples and noised data as negatives, after a third of the steps alone."""
    adam = Adam(lr=1e-3)
    return Experiment(
        data=Data(limits=LIMITS),
        nets=Nets(
            generator=MLPGenerator(depth=3, width=WIDTH, noise=CODE, batch_norm=False, std=0.1),
            discriminator=BottleneckAutoencoder(width=WIDTH, code=CODE),
        ),
        sampler=Noised(share=0.5, noise=NOISE),
        objective=EBGAN(margin=None),
        optimisers=Optimisers(discriminator=adam, generator=adam),
        images=steps * BATCH,
        pretraining=steps // 3 * BATCH,
        batch=BATCH,
        precision="fp32",
        seed=seed,
    )


def chained(steps: int, seed: int) -> Experiment:
    """A normalised auto-encoder."""
    late = -(-steps // LATE)
    net = SphericalAutoencoder(width=WIDTH, code=CODE)
    made = normalised(Data(limits=LIMITS), net, CHAINS, batch=BATCH, steps=(steps - late, late))
    return replace(made, precision="fp32", seed=seed)


def without(make: Callable[[int, int], Experiment]) -> Callable[[int, int], Experiment]:
    """The same auto-encoder and steps without any negatives."""

    def alone(steps: int, seed: int) -> Experiment:
        made = make(steps, seed)
        return replace(made, turns=Turns(generator=0), pretraining=made.images)

    return alone


ALONE, NOISED, SPHERE, CHAINED = "auto-encoder alone", "EBGAN, noised", "spherical auto-encoder alone", "NAE"
METHODS: dict[str, Callable[[int, int], Experiment]] = {
    ALONE: without(noised),
    NOISED: noised,
    SPHERE: without(chained),
    CHAINED: chained,
}


@dataclass(frozen=True)
class Trained:
    """An energy."""

    read: Callable[[Tensor], Tensor]  # images [n, C, H, W] in [0, 1] -> energies [n] in float64

    @classmethod
    def on(cls, images: Tensor, name: str, steps: int, seed: int) -> Trained:
        """The energy of a method on normal images [n, C, H, W]."""
        made = METHODS[name](steps, seed)
        net = train([made], images, share=MARGIN).net()
        energy = made.energy
        assert isinstance(energy, AutoencoderEnergy)
        return cls(lambda others: energies(net, energy, others))
