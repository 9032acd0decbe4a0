"""The grid search of EBGAN's section 4.1 (table 1): 512 EBGANs and 6,144 GANs on MNIST.

    nLayerG, nLayerD    2, 3, 4, 5                 optimD, optimG    EBGAN Adam; GAN Adam or SGD, each
    sizeG               400, 800, 1600, 3200       lr                EBGAN 0.001; GAN 0.01, 0.001, 0.0001
    sizeD               128, 256, 512, 1024        dropoutD          with and without

The margin is 10, in units of the L2 norm of 32x32 images in [-1, 1]. The paper gives no dropout rate, batch size,
noise or length: 0.5, 64, 100 normal dimensions and 5 epochs are ours. Real and fake are read apart, as in the DCGAN
code: batch norm in deeper discriminators sees either alone.

The scales: `paper` is the above. `cpu` is the same 6,656 combinations on the 8x8 digits of scikit-learn, which have a
sixteenth of the pixels: widths are divided by 16, and the margin by 4, as the norm of an image is. `tiny` takes two
values of each axis, narrower nets still, and 40 steps: it shows the machinery, not the result. The two small scales
have 32 and 8 dimensions of noise.
"""

from __future__ import annotations

from dataclasses import dataclass

from ebgan.energies import AutoencoderEnergy, LogisticEnergy
from ebgan.experiment import Data, Evaluation, Experiment, Nets, Optimisers
from ebgan.experiment.grid import Grid
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPGenerator
from ebgan.objectives import EBGAN, GAN
from ebgan.recipes.grid_figures import FIGURES
from ebgan.recipes.index import Scale, grid
from ebgan.training.optim import SGD, Adam

DEPTHS = (2, 3, 4, 5)
GENERATOR_WIDTHS = (400, 800, 1600, 3200)
DISCRIMINATOR_WIDTHS = (128, 256, 512, 1024)
DROPOUTS = (0.0, 0.5)
RATES = (1e-2, 1e-3, 1e-4)
MARGIN = 10.0


@dataclass(frozen=True)
class _Setting:
    """What a scale changes."""

    data: Data
    divisor: int  # of widths
    margin: float
    noise: int
    images: int
    samples: int
    pictured: int
    values: int = 4  # of each axis of a net


_SETTINGS: dict[Scale, _Setting] = {
    "paper": _Setting(Data(source="mnist", padding=2), 1, MARGIN, 100, 5 * 60_000, 2000, 36),
    "cpu": _Setting(Data(source="digits"), 16, MARGIN / 4, 32, 64_000, 1000, 36),
    "tiny": _Setting(Data(source="digits"), 32, MARGIN / 4, 8, 2_560, 200, 16, values=2),
}


@grid("mnist_grid.ebgan", source="EBGAN, table 1 and figure 2", published=FIGURES)
def ebgan(scale: Scale) -> Grid:
    """The 512 EBGANs: every depth, width and dropout of table 1, Adam with 0.001."""
    setting = _SETTINGS[scale]
    base = _base(setting, MLPAutoencoder(), AutoencoderEnergy(), EBGAN(margin=setting.margin))
    return Grid(base=base, axes=_shapes(setting))


@grid("mnist_grid.gan", source="EBGAN, table 1 and figures 2, 3", published=FIGURES)
def gan(scale: Scale) -> Grid:
    """The 6,144 GANs: the same with Adam or SGD for either player and three learning rates."""
    setting = _SETTINGS[scale]
    base = _base(setting, MLPDiscriminator(), LogisticEnergy(), GAN())
    first, *others = (_of_rate(base, setting, rate) for rate in RATES)
    return sum(others, start=first)


@grid("mnist_grid", source="EBGAN, table 1", published=FIGURES)
def both(scale: Scale) -> Grid:
    """All 6,656 runs of table 1: EBGANs, then GANs."""
    return ebgan(scale) + gan(scale)


def _of_rate(base: Experiment, setting: _Setting, rate: float) -> Grid:
    """The GANs of one learning rate, which is that of both players."""
    kinds = (Adam(lr=rate), SGD(lr=rate))
    axes = {"optimisers.discriminator": kinds, "optimisers.generator": kinds}
    return Grid(base=base, axes=_shapes(setting) | axes)


def _shapes(setting: _Setting) -> dict[str, tuple[int | float, ...]]:
    """Depths, widths and dropout of both nets."""
    step = 4 // setting.values
    return {
        "nets.generator.depth": DEPTHS[::step],
        "nets.discriminator.depth": DEPTHS[::step],
        "nets.generator.width": tuple(width // setting.divisor for width in GENERATOR_WIDTHS[::step]),
        "nets.discriminator.width": tuple(width // setting.divisor for width in DISCRIMINATOR_WIDTHS[::step]),
        "nets.discriminator.dropout": DROPOUTS,
    }


def _base(
    setting: _Setting,
    discriminator: MLPAutoencoder | MLPDiscriminator,
    energy: AutoencoderEnergy | LogisticEnergy,
    objective: EBGAN | GAN,
) -> Experiment:
    return Experiment(
        data=setting.data,
        nets=Nets(generator=MLPGenerator(noise=setting.noise), discriminator=discriminator),
        energy=energy,
        objective=objective,
        optimisers=Optimisers(discriminator=Adam(lr=1e-3), generator=Adam(lr=1e-3)),
        images=setting.images,
        precision="fp32",  # of all trials: bf16 moves the best scores of SGD (docs/recipes/grid.md)
        evaluation=Evaluation(samples=setting.samples, grid=setting.pictured),
    )
