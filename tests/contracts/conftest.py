"""Every class that a config can name, with three settings of each that one stack could hold.

A class enters the suite by a line here; `test_registry.py` fails for a registered one that has none.
"""

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from ebgan.energies import AutoencoderEnergy, ExpertsEnergy, LadderEnergy, LogisticEnergy, ScalarEnergy
from ebgan.nets.began import BEGANAutoencoder, BEGANGenerator
from ebgan.nets.bottleneck import BottleneckAutoencoder
from ebgan.nets.by_class import ClassAutoencoder, ClassGenerator
from ebgan.nets.class_head import ClassHead
from ebgan.nets.dcgan import ConvAutoencoder, ConvDiscriminator, ConvGenerator
from ebgan.nets.imagenet import NoisyGenerator
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.nets.spherical import SphericalAutoencoder
from ebgan.nets.vgan import VGANDiscriminator, VGANExperts, VGANGenerator, VGANTransition
from ebgan.objectives import (
    BEGAN,
    EBGAN,
    GAN,
    MAGAN,
    NAE,
    VCD,
    VGAN,
    WGANGP,
    Augmentation,
    ClassConditional,
    LeastSquaresGAN,
    LeCam,
    LossSensitiveGAN,
    Regularised,
    Relativistic,
    Scheduled,
    SemiSupervised,
)
from ebgan.records import Batch, Means, Reading, Sample
from ebgan.samplers import Langevin, Noised, Prior, Replay, Transition
from ebgan.schedules import Constant, Linear, Steps
from ebgan.training.adadelta import Adadelta
from ebgan.training.adamax import Adamax
from ebgan.training.optim import SGD, Adam


def decaying(pulling_away: float | None) -> Scheduled:
    return Scheduled(EBGAN(pulling_away=pulling_away), margin=Linear(start=8.0, end=0.0, finish=100))


OBJECTIVES = {
    "EBGAN": [EBGAN(margin=margin) for margin in (2.0, 4.0, 8.0)],
    "EBGAN-PT": [EBGAN(margin=4.0, pulling_away=weight) for weight in (0.125, 0.5, 2.0)],
    "BEGAN": [BEGAN(gamma=gamma, lambda_k=0.0625 * gamma) for gamma in (2.0, 1.5, 1.0)],
    "MAGAN": [MAGAN(epoch=20)] * 3,
    "NAE": [NAE(gamma=gamma) for gamma in (0.25, 0.5, 1.0)],
    "LossSensitiveGAN": [
        LossSensitiveGAN(scale=scale, real_weight=weight) for scale, weight in ((0.25, 1.0), (0.5, 0.5), (1.0, 0.25))
    ],
    "LossSensitiveGAN, l2, slope": [
        LossSensitiveGAN(distance="l2", scale=0.5, slope=slope) for slope in (-1.0, 0.25, 1.0)
    ],
    "LossSensitiveGAN, penalty": [LossSensitiveGAN(gradient_penalty=weight) for weight in (2.5, 5.0, 10.0)],
    "VGAN": [VGAN()] * 3,
    "VCD": [VCD(rho=rho) for rho in (0.125, 0.5, 0.25)],
    "VCD, authors' code": [VCD.authors_code(rho=rho) for rho in (0.125, 0.5, 0.25)],
    "GAN": [GAN()] * 3,
    "GAN, saturating": [GAN(saturating=True)] * 3,
    "LeastSquaresGAN": [LeastSquaresGAN(fake=-weight, aim=weight) for weight in (0.25, 0.5, 1.0)],
    "WGANGP": [WGANGP(gradient_penalty=weight) for weight in (2.5, 5.0, 10.0)],
    "Scheduled, WGANGP": [Scheduled(WGANGP(), gradient_penalty=Linear(start=8.0, end=0.0, finish=100))] * 3,
    "Scheduled, LossSensitiveGAN": [
        Scheduled(LossSensitiveGAN(), gradient_penalty=Linear(start=8.0, end=0.0, finish=100))
    ]
    * 3,
    "Scheduled": [decaying(weight) for weight in (0.125, 0.5, 2.0)],
    "SemiSupervised": [SemiSupervised(inner=EBGAN(margin=margin), weight=margin / 4) for margin in (2.0, 4.0, 8.0)],
    "SemiSupervised, data": [
        SemiSupervised(inner=BEGAN(gamma=gamma, lambda_k=0.25), weight=gamma, weighs="data")
        for gamma in (2.0, 1.5, 0.5)
    ],
    "Relativistic": [Relativistic(margin=margin) for margin in (0.25, 0.5, 1.0)],
    "Relativistic, averaged hinge": [
        Relativistic(loss="hinge", against="mean", margin=margin) for margin in (0.25, 0.5, 1.0)
    ],
    "Regularised": [
        Regularised(inner=Relativistic(), data=weight, samples=1 - weight, between=2 * weight, every=3)
        for weight in (0.25, 0.5, 0.75)
    ],
    "LeCam": [LeCam(inner=BEGAN(gamma=weight), weight=weight, decay=weight) for weight in (0.25, 0.5, 0.75)],
    "ClassConditional": [
        ClassConditional(inner=EBGAN(margin=8 * weight), weight=weight) for weight in (0.25, 0.5, 1.0)
    ],
    "Augmentation": [
        Augmentation(inner=EBGAN(margin=8 * share), translation=share, cutout=share / 2, colour=share)
        for share in (0.25, 0.5, 1.0)
    ],
    "Regularised, other places": [
        Regularised(inner=LossSensitiveGAN(gradient_penalty=1.0, real_weight=weight), samples=weight)
        for weight in (0.25, 0.5, 2.0)
    ],
    "SemiSupervised, probes": [SemiSupervised(inner=WGANGP(), weight=weight) for weight in (0.25, 0.5, 2.0)],
}
ENERGIES = {
    "norm": [AutoencoderEnergy(unit="norm")] * 3,
    "sse": [AutoencoderEnergy(unit="sse")] * 3,
    "mse": [AutoencoderEnergy(unit="mse")] * 3,
    "l1": [AutoencoderEnergy(unit="l1")] * 3,
    "logistic": [LogisticEnergy()] * 3,
    "scalar": [ScalarEnergy()] * 3,
    "scalar, nonnegative": [ScalarEnergy(nonnegative=True)] * 3,
    "ladder": [LadderEnergy(weights=(8.0, 2.0, 1.0))] * 3,
    "experts": [ExpertsEnergy(clip=clip) for clip in (0.125, 0.0625, 0.25)],
}
OTHERS = {
    "generator": [MLPGenerator(depth=3, width=6, noise=4, std=std) for std in (0.25, 0.5, 1.0)],
    "autoencoder": [MLPAutoencoder(depth=3, width=6, dropout=rate) for rate in (0.125, 0.25, 0.5)],
    "bottleneck": [BottleneckAutoencoder(width=6, code=2)] * 3,
    "spherical autoencoder": [SphericalAutoencoder(width=6, code=3)] * 3,
    "discriminator": [MLPDiscriminator(depth=3, width=6, dropout=rate) for rate in (0.125, 0.25, 0.5)],
    "experts' net": [MLPExperts(depth=3, width=6, experts=4, dropout=rate) for rate in (0.125, 0.25, 0.5)],
    "convolutional generator": [ConvGenerator(width=8, std=std) for std in (0.25, 0.5, 1.0)],
    "convolutional autoencoder": [ConvAutoencoder(encoder="(8)4c2s", slope=slope) for slope in (0.0, 0.25, 0.5)],
    "convolutional discriminator": [ConvDiscriminator(width=8, slope=slope) for slope in (0.0, 0.25, 0.5)],
    "generator with noise planes": [NoisyGenerator(width=8, planes=4, std=std) for std in (0.25, 0.5, 1.0)],
    "began's generator": [BEGANGenerator(carry=Linear(start=1.0, end=end, finish=9)) for end in (0.0, 0.25, 0.5)],
    "began's autoencoder": [BEGANAutoencoder(width=8, std=std) for std in (0.25, 0.5, 1.0)],
    "vgan's generator": [VGANGenerator(width=8, std=std) for std in (0.25, 0.5, 1.0)],
    "vgan's transition generator": [VGANTransition(width=8, std=std) for std in (0.25, 0.5, 1.0)],
    "vgan's experts": [VGANExperts(width=8, std=std) for std in (0.25, 0.5, 1.0)],
    "vgan's discriminator": [VGANDiscriminator(width=8, std=std) for std in (0.25, 0.5, 1.0)],
    "ladder's net": [Ladder(widths=(6, 5), noise=noise, top_scale=True) for noise in (0.125, 0.25, 0.5)],
    "vanilla ladder's net": [Ladder(widths=(6,), combinator="vanilla", statistics="labelled")] * 3,
    "net with a class head": [ClassHead(net=MLPAutoencoder(width=6, dropout=rate)) for rate in (0.125, 0.25, 0.5)],
    "generator by class": [ClassGenerator(net=MLPGenerator(width=6, noise=4), std=std) for std in (0.25, 0.5, 1.0)],
    "autoencoder by class": [ClassAutoencoder(net=MLPAutoencoder(width=6), std=std) for std in (0.25, 0.5, 1.0)],
    "transition generator": [MLPTransition(width=6, code=4, std=std) for std in (0.25, 0.5, 1.0)],
    "normal": [Prior()] * 3,
    "uniform": [Prior(distribution="uniform")] * 3,
    "transition": [Transition(keep=keep) for keep in (0.25, 0.5, 0.75)],
    "replay": [Replay(sampler=Transition(keep=share), share=share) for share in (0.25, 0.5, 0.75)],
    "noised": [Noised(sampler=Transition(keep=share), share=share) for share in (0.25, 0.5, 0.75)],
    "langevin": [Langevin(sampler=Transition(keep=share), share=share, step=share) for share in (0.25, 0.5, 0.75)],
    "adam": [Adam(lr=lr) for lr in (0.125, 0.25, 0.5)],
    "adamax": [Adamax(lr=lr) for lr in (0.125, 0.25, 0.5)],
    "adadelta": [Adadelta(lr=lr) for lr in (0.125, 0.25, 0.5)],
    "sgd": [SGD(lr=lr, momentum=0.5) for lr in (0.125, 0.25, 0.5)],
    "sgd, decayed and clipped": [SGD(lr=0.5, weight_decay=clip / 4, clip=clip) for clip in (0.125, 0.25, 0.5)],
    "constant": [Constant(value=value) for value in (1.0, 2.0, 3.0)],
    "linear": [Linear(start=start, end=0.0, finish=100, begin=10) for start in (1.0, 2.0, 3.0)],
    "steps": [Steps(values=(1.0, 0.5), boundaries=(50,))] * 3,
}
PARTS = OBJECTIVES | ENERGIES | OTHERS


WITH_CLASSES = ("sse", "ladder", "norm", "l1")  # energies that read nets with classes
PAIRS = {
    f"{objective} of {energy}": (OBJECTIVES[objective][0], ENERGIES[energy][0])
    for objective in OBJECTIVES
    for energy in ENERGIES
    if (not OBJECTIVES[objective][0].asks.classifies or energy in WITH_CLASSES)
    and (not OBJECTIVES[objective][0].asks.misnames or isinstance(ENERGIES[energy][0], AutoencoderEnergy))
}
FITTING = {name: pair for name, pair in PAIRS.items() if pair[0].asks.needs <= pair[1].gives}
MISFITS = {name: pair for name, pair in PAIRS.items() if name not in FITTING}


class Turn(NamedTuple):
    """What an objective is given in a step."""

    real: Reading
    fake: Reading
    batch: Batch
    sample: Sample

    def of(self, model: int) -> "Turn":
        """The part of one model of a stack."""
        return Turn(*(_of(each, model) for each in self))


def _of(record: Any, model: int) -> Any:
    """The part of one model of a record and of those within."""
    if record is None or isinstance(record, Tensor):
        return None if record is None else record[model]
    return type(record)(*(_of(each, model) for each in record))


def a_turn(*models: int, batch: int = 6) -> Turn:
    """Readings in float64 with a code and logits, some energies above every margin of the suite and some below."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*models, batch, *shape, generator=generator, dtype=torch.float64)

    def reading() -> Reading:
        logits = normal()
        return Reading(normal(1, 2, 2), 5 + 4 * normal().tanh(), normal(5), logits)

    real, fake = reading(), reading()
    sample = Sample(fake.images, normal(1, 2, 2), normal(1, 2, 2), data=reading())
    return Turn(real, fake, Batch(real.images), sample)


def means(turn: Turn, images: int) -> Means:
    return Means(turn.real.energy.mean(-1), turn.fake.energy.mean(-1), torch.tensor(images))


@pytest.fixture(params=OBJECTIVES.values(), ids=OBJECTIVES)
def objectives(request: pytest.FixtureRequest) -> Any:
    """Three settings of one objective."""
    return request.param


@pytest.fixture(params=ENERGIES.values(), ids=ENERGIES)
def energy(request: pytest.FixtureRequest) -> Any:
    return request.param[0]


@pytest.fixture(params=FITTING.values(), ids=FITTING)
def pair(request: pytest.FixtureRequest) -> Any:
    """An objective and an energy that has what it needs."""
    return request.param


@pytest.fixture(params=MISFITS.values(), ids=MISFITS)
def misfit(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=PARTS.values(), ids=PARTS)
def parts(request: pytest.FixtureRequest) -> Any:
    """Three settings of one class that a config can name."""
    return request.param


@pytest.fixture
def covered() -> set[str]:
    """The names of all classes that the suite covers."""
    return {type(part).__name__ for settings in PARTS.values() for part in settings}


@pytest.fixture
def turn() -> Turn:
    return a_turn()


@pytest.fixture
def turns() -> Turn:
    """The turn of a stack of three models."""
    return a_turn(3)


@pytest.fixture
def energy_means() -> Any:
    return means
