"""Landscapes: GAN, EBGAN and EBGAN-PT on each density in one or two dimensions, and the toy runs of Lee's slides.

A run takes about a minute on a CPU core; its report shows the energy with samples and data over training. The
objectives of the family are the lines of `RIVALS`, the densities those of `LANDSCAPES`.

The densities and the measure of ring and grid are those of PacGAN (Lin et al., 2018) and VEEGAN (Srivastava et al.,
2017), whose generator is 400 units wide; nets, margins and learning rates are ours, found by trying. Margins are in
units of the L2 norm of points. The discriminators have no batch norm, so that the energy of a point depends on nothing
but the point; generators without it ended on fewer modes. Learning rates fall over the second half: modes are
0.01 wide, and a generator that goes on moving blurs them (the fall does not follow `--images`).

The slides ("p_data = line", "p_data = 1-D Gaussian") give hidden layers of 100 units, how many there are in generator
and discriminator, and 100 turns of the discriminator for each of the generator; the rest is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ebgan.data import TOYS
from ebgan.energies import AutoencoderEnergy, Energy, LogisticEnergy
from ebgan.experiment import Data, Evaluation, Experiment, Nets, Optimisers
from ebgan.nets.base import DiscriminatorSpec
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPGenerator
from ebgan.objectives import EBGAN, GAN, Objective
from ebgan.recipes.index import recipe
from ebgan.schedules import Linear
from ebgan.training.game import Turns
from ebgan.training.optim import Adam

BATCH = 128
IMAGES = 6_000 * BATCH
SLIDES_BATCH = 32
SLIDES_TURNS = 50_000  # of the discriminator
METRIC_SAMPLES = 2500  # as in the protocol of PacGAN and VEEGAN
GENERATOR = MLPGenerator(depth=3, width=128, noise=2, std=0.1)
AUTOENCODER = MLPAutoencoder(depth=3, width=128, batch_norm=False, std=0.1)
CLASSIFIER = MLPDiscriminator(depth=3, width=128, batch_norm=False, std=0.1)
SETTLING = Linear(start=1.0, end=0.02, begin=IMAGES // 2, finish=IMAGES)  # of the learning rates


@dataclass(frozen=True)
class Rival:
    """An objective with the discriminator and the energy that it takes."""

    title: str
    source: str
    discriminator: DiscriminatorSpec
    energy: Energy
    objective: Callable[[float], Objective[Any]]  # given the landscape's margin


MARGINS = {"line": 0.5, "gaussian": 0.5, "ring": 1.0, "grid": 2.0, "moons": 0.5, "roll": 0.5}
TITLES = {
    "line": "a uniform segment",
    "gaussian": "a 1-D Gaussian",
    "ring": "a ring of 8 Gaussians",
    "grid": "a grid of 25 Gaussians",
    "moons": "two moons",
    "roll": "a Swiss roll",
}
RIVALS = {
    "gan": Rival("GAN", "Goodfellow et al., 2014", CLASSIFIER, LogisticEnergy(), lambda _: GAN()),
    "ebgan": Rival("EBGAN", "EBGAN, eq. 1, 2", AUTOENCODER, AutoencoderEnergy(), lambda m: EBGAN(margin=m)),
    "ebgan_pt": Rival(
        "EBGAN-PT", "EBGAN, eq. 14", AUTOENCODER, AutoencoderEnergy(), lambda m: EBGAN(margin=m, pulling_away=0.1)
    ),
}
SLIDES = (("line", 1, 1), ("line", 2, 1), ("line", 1, 2), ("gaussian", 2, 1))  # hidden layers of G, of D


def experiment(landscape: str, rival: Rival) -> Experiment:
    """An objective on a density."""
    adam = Adam(lr=1e-3, decay=SETTLING)
    return Experiment(
        data=Data(source=f"toy.{landscape}", limits=None),
        nets=Nets(generator=GENERATOR, discriminator=rival.discriminator),
        energy=rival.energy,
        objective=rival.objective(MARGINS[landscape]),
        optimisers=Optimisers(discriminator=adam, generator=adam),
        images=IMAGES,
        batch=BATCH,
        evaluation=Evaluation(samples=METRIC_SAMPLES, grid=1000, pictures=IMAGES // 40),
    )


def slides(landscape: str, generator: int, discriminator: int) -> Experiment:
    """A toy run of the slides, with so many hidden layers in generator and discriminator."""
    images = SLIDES_TURNS * SLIDES_BATCH
    adam = Adam(lr=1e-3)
    return Experiment(
        data=Data(source=f"toy.{landscape}", limits=None),
        nets=Nets(
            generator=MLPGenerator(depth=generator + 1, width=100, noise=1, batch_norm=False, std=0.1),
            discriminator=MLPDiscriminator(depth=discriminator + 1, width=100, batch_norm=False, std=0.1),
        ),
        energy=LogisticEnergy(),
        objective=GAN(),
        optimisers=Optimisers(discriminator=adam, generator=adam),
        images=images,
        batch=SLIDES_BATCH,
        turns=Turns(discriminator=100),
        evaluation=Evaluation(samples=METRIC_SAMPLES, grid=1000, pictures=images // 40),
    )


def _enter(name: str, source: str, summary: str, make: Callable[[], Experiment]) -> None:
    make.__doc__ = summary
    recipe(name, source)(make)


def _enter_family() -> None:
    for landscape, title in TITLES.items():
        assert f"toy.{landscape}" in TOYS
        for name, rival in RIVALS.items():
            summary = f"{rival.title} on {title}."
            _enter(
                f"toy.{landscape}.{name}",
                rival.source,
                summary,
                lambda landscape=landscape, rival=rival: experiment(landscape, rival),  # type: ignore[misc]
            )


def _enter_slides() -> None:
    for setting in SLIDES:
        landscape, generator, discriminator = setting
        summary = f"GAN on {TITLES[landscape]}, hidden layers {generator} and {discriminator}, 100 turns of D."
        name = f"toy.{landscape}.slides_{generator}_{discriminator}"
        _enter(name, "Lee's slides", summary, lambda setting=setting: slides(*setting))  # type: ignore[misc]


_enter_family()
_enter_slides()
