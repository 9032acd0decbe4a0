"""Every objective of the family, set up for benchmarks: the same data, generator and number of images for all.

The discriminators differ as the objectives do (auto-encoder, classifier, experts) and have the same hidden layers, none
with batch norm. Settings that a paper fixes are here, with the objective: energy, turns, optimiser, pretraining. The
benchmark has the settings that depend on the data: margin, scale of distances, learning rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from ebgan.energies import AutoencoderEnergy, Energy, ExpertsEnergy, LogisticEnergy, ScalarEnergy
from ebgan.experiment import Data, Evaluation, Experiment, Nets, Optimisers
from ebgan.nets.base import DiscriminatorSpec, GeneratorSpec
from ebgan.objectives import BEGAN, EBGAN, GAN, MAGAN, VGAN, WGANGP, LeastSquaresGAN, LossSensitiveGAN, Objective
from ebgan.schedules import Linear
from ebgan.training.adadelta import Adadelta
from ebgan.training.adamax import Adamax
from ebgan.training.game import Turns
from ebgan.training.optim import Adam, OptimiserSpec

Net = Literal["autoencoder", "classifier", "experts"]


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """The settings that all objectives share on a benchmark."""

    data: Data
    generator: GeneratorSpec
    discriminators: dict[Net, DiscriminatorSpec]
    margin: float  # EBGAN's, in units of the L2 norm
    distance: float  # the loss-sensitive GAN's energy for a unit of L1 distance
    gradient_penalty: float  # WGAN-GP's weight of it
    epoch: int  # images in MAGAN's epoch
    images: int
    batch: int
    lr: float
    decay: Linear | None = None
    evaluation: Evaluation


@dataclass(frozen=True, kw_only=True)
class Method:
    """An objective with its own settings; by default Adam, and one turn each."""

    title: str
    source: str
    net: Net
    energy: Energy
    objective: Callable[[Benchmark], Objective[Any]]
    optimiser: Callable[[float], OptimiserSpec] = lambda lr: Adam(lr=lr)
    turns: Turns = Turns()
    pretraining: int = 0  # epochs


def enter(method: Method, benchmark: Benchmark) -> Experiment:
    """The experiment of an objective on a benchmark; pretraining is added before the benchmark's images."""
    first, decay = method.pretraining * benchmark.epoch, benchmark.decay
    if decay:
        decay = replace(decay, begin=decay.begin + first, finish=decay.finish + first)
    optimiser = replace(method.optimiser(benchmark.lr), decay=decay)  # type: ignore[type-var]
    return Experiment(
        data=benchmark.data,
        nets=Nets(generator=benchmark.generator, discriminator=benchmark.discriminators[method.net]),
        energy=method.energy,
        objective=method.objective(benchmark),
        optimisers=Optimisers(discriminator=optimiser, generator=optimiser),
        turns=method.turns,
        images=benchmark.images + first,
        pretraining=first,
        batch=benchmark.batch,
        evaluation=benchmark.evaluation,
    )


def _vgan(turns: int) -> Method:
    return Method(
        title=f"VGAN (k = {turns})",
        source="VGAN, algorithm 1",
        net="experts",
        energy=ExpertsEnergy(),
        objective=lambda _: VGAN(),
        optimiser=lambda _: Adadelta(lr=0.1),
        turns=Turns(generator=turns),
    )


METHODS = {
    "gan": Method(
        title="GAN",
        source="Goodfellow et al., 2014",
        net="classifier",
        energy=LogisticEnergy(),
        objective=lambda _: GAN(),
    ),
    "ebgan": Method(
        title="EBGAN",
        source="EBGAN, eq. 1, 2",
        net="autoencoder",
        energy=AutoencoderEnergy(),
        objective=lambda benchmark: EBGAN(margin=benchmark.margin),
    ),
    "ebgan_pt": Method(
        title="EBGAN-PT",
        source="EBGAN, eq. 14",
        net="autoencoder",
        energy=AutoencoderEnergy(),
        objective=lambda benchmark: EBGAN(margin=benchmark.margin, pulling_away=0.1),
    ),
    "magan": Method(
        title="MAGAN",
        source="MAGAN, algorithm 1",
        net="autoencoder",
        energy=AutoencoderEnergy(unit="sse"),
        objective=lambda benchmark: MAGAN(epoch=benchmark.epoch),
        optimiser=lambda lr: Adamax(lr=lr),
        pretraining=2,
    ),
    "began": Method(
        title="BEGAN",
        source="BEGAN, section 3",
        net="autoencoder",
        energy=AutoencoderEnergy(unit="l1"),
        objective=lambda _: BEGAN(gamma=0.5),
    ),
    "loss_sensitive": Method(
        title="The loss-sensitive GAN",
        source="LS-GAN",
        net="classifier",
        energy=ScalarEnergy(),
        objective=lambda benchmark: LossSensitiveGAN(scale=benchmark.distance, real_weight=0.0),
        optimiser=lambda lr: Adam(lr=lr / 5),  # energies that nothing bounds run away at a larger one
    ),
    "vgan": _vgan(1),
    "vgan_k3": _vgan(3),
    "least_squares": Method(
        title="The least-squares GAN",
        source="Mao et al., 2017",
        net="classifier",
        energy=ScalarEnergy(),
        objective=lambda _: LeastSquaresGAN(),
    ),
    "wgan_gp": Method(
        title="WGAN-GP",
        source="Gulrajani et al., 2017",
        net="classifier",
        energy=ScalarEnergy(),
        objective=lambda benchmark: WGANGP(gradient_penalty=benchmark.gradient_penalty),
        turns=Turns(discriminator=5),
    ),
}
