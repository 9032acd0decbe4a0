"""Landscapes: every objective on each density in one or two dimensions, and the toy runs of Lee's slides.

A run takes about a minute on a CPU core; its report shows the energy with samples and data over training. The
objectives are those of `methods`, the densities those of `TITLES`.

The densities and the measure of ring and grid are those of PacGAN (Lin et al., 2018) and VEEGAN (Srivastava et al.,
2017), whose generator is 400 units wide; nets, margins and learning rates are ours, found by trying. Margins are in
units of the L2 norm of points. The discriminators have no batch norm, so that the energy of a point depends on nothing
but the point; generators without it ended on fewer modes. Learning rates fall over the second half: modes are
0.01 wide, and a generator that goes on moving blurs them (the fall does not follow `--images`).

On ring and grid relativistic losses and penalties on the slope (R1 and R2) stand beside the papers' forms, with the
same nets and rates: R3GAN's loss, not its nets or its Adam.

The slides ("p_data = line", "p_data = 1-D Gaussian") give hidden layers of 100 units, how many there are in generator
and discriminator, and 100 turns of the discriminator for each of the generator; the rest is ours.
"""

from __future__ import annotations

from collections.abc import Callable

from ebgan.data import TOYS
from ebgan.energies import AutoencoderEnergy, LogisticEnergy, ScalarEnergy
from ebgan.experiment import Data, Evaluation, Experiment, Nets, Optimisers
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.objectives import EBGAN, GAN, Regularised, Relativistic
from ebgan.recipes.index import recipe
from ebgan.recipes.methods import METHODS, Benchmark, Method, enter
from ebgan.schedules import Linear
from ebgan.training.game import Turns
from ebgan.training.optim import Adam

BATCH = 128
IMAGES = 6_000 * BATCH
EPOCH = 150 * BATCH  # of MAGAN: points are drawn from a density, and have no epochs
SLIDES_BATCH = 32
SLIDES_TURNS = 50_000  # of the discriminator
METRIC_SAMPLES = 2500  # as in the protocol of PacGAN and VEEGAN
SETTLING = Linear(start=1.0, end=0.02, begin=IMAGES // 2, finish=IMAGES)  # of the learning rates

MARGINS = {"line": 0.5, "gaussian": 0.5, "ring": 1.0, "grid": 2.0, "moons": 0.5, "roll": 0.5}
TITLES = {
    "line": "a uniform segment",
    "gaussian": "a 1-D Gaussian",
    "ring": "a ring of 8 Gaussians",
    "grid": "a grid of 25 Gaussians",
    "moons": "two moons",
    "roll": "a Swiss roll",
}
SLOPES = {"critic": 1.0, "autoencoder": 0.1}  # weights of R1 and of R2; 0.01 to 10 were tried with the critic
MODERN = {  # on ring and grid, beside the papers' forms
    "relativistic": Method(
        title="The relativistic GAN",
        source="Jolicoeur-Martineau, 2019",
        net="classifier",
        energy=ScalarEnergy(),
        objective=lambda _: Relativistic(),
    ),
    "r3gan": Method(
        title="R3GAN's loss",
        source="Huang et al., 2024",
        net="classifier",
        energy=ScalarEnergy(),
        objective=lambda _: Regularised(inner=Relativistic(), data=SLOPES["critic"], samples=SLOPES["critic"]),
    ),
    "ebgan_regularised": Method(
        title="EBGAN with R1 and R2",
        source="Mescheder et al., 2018",
        net="autoencoder",
        energy=AutoencoderEnergy(),
        objective=lambda benchmark: Regularised(
            inner=EBGAN(margin=benchmark.margin), data=SLOPES["autoencoder"], samples=SLOPES["autoencoder"]
        ),
    ),
}
SLIDES = (("line", 1, 1), ("line", 2, 1), ("line", 1, 2), ("gaussian", 2, 1))  # hidden layers of G, of D


def benchmark(landscape: str) -> Benchmark:
    """A density, and the nets that learn it."""
    return Benchmark(
        data=Data(source=f"toy.{landscape}", limits=None),
        generator=MLPGenerator(depth=3, width=128, noise=2, std=0.1),
        discriminators={
            "autoencoder": MLPAutoencoder(depth=3, width=128, batch_norm=False, std=0.1),
            "classifier": MLPDiscriminator(depth=3, width=128, batch_norm=False, std=0.1),
            "experts": MLPExperts(depth=3, width=128, experts=32, std=0.1),
        },
        margin=MARGINS[landscape],
        distance=1.0,
        gradient_penalty=0.1,
        epoch=EPOCH,
        images=IMAGES,
        batch=BATCH,
        lr=1e-3,
        decay=SETTLING,
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


def _enter_family(landscape: str, title: str) -> None:
    assert f"toy.{landscape}" in TOYS
    methods = METHODS | MODERN if landscape in ("ring", "grid") else METHODS
    for name, method in methods.items():

        def make(method: Method = method) -> Experiment:
            return enter(method, benchmark(landscape))

        _enter(f"toy.{landscape}.{name}", method.source, f"{method.title} on {title}.", make)


def _enter_slides(landscape: str, generator: int, discriminator: int) -> None:
    _enter(
        f"toy.{landscape}.slides_{generator}_{discriminator}",
        "Lee's slides",
        f"GAN on {TITLES[landscape]}, hidden layers {generator} and {discriminator}, 100 turns of D.",
        lambda: slides(landscape, generator, discriminator),
    )


for _landscape, _title in TITLES.items():
    _enter_family(_landscape, _title)
for _setting in SLIDES:
    _enter_slides(*_setting)
