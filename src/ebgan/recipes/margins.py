"""Figure 9 of the EBGAN paper: what the margin does. A small one drops modes, an overly large one is unstable.

    margins of the paper    1, 2, 4, 6, 8, 12, 16, 32, in units of the L2 norm of 32x32 images in [-1, 1]

`paper` has the figure's own nets (sizeG 1600) and the length of `mnist.ebgan`; `cpu` has that recipe's nets (sizeG 800)
and three epochs; `tiny` has narrow nets on the 8x8 digits, with margins a quarter as large.
"""

from __future__ import annotations

from dataclasses import replace

from ebgan.experiment import Data, Evaluation, Experiment, Nets
from ebgan.experiment.grid import Grid
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.recipes.grid_figures import BOUNDS
from ebgan.recipes.index import Scale, grid
from ebgan.recipes.mnist import EPOCH
from ebgan.recipes.mnist import ebgan as mnist_ebgan

GRID = "margins"
MARGINS = (1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0)


@grid(GRID, source="EBGAN, figure 9", published=BOUNDS)
def margins(scale: Scale) -> Grid:
    """EBGANs on MNIST that differ in their margin alone, from 1 to 32."""
    ends = tuple(margin / 4 for margin in MARGINS) if scale == "tiny" else MARGINS
    return Grid(base=_base(scale), axes={"objective.margin": ends})


def _base(scale: Scale) -> Experiment:
    paper = mnist_ebgan()
    if scale == "tiny":
        nets = Nets(generator=MLPGenerator(width=50, noise=8), discriminator=MLPAutoencoder(width=64))
        small = replace(paper, data=Data(source="digits"), nets=nets)
        return replace(small, images=2_560, evaluation=Evaluation(samples=200, grid=16))
    if scale == "cpu":
        return replace(paper, images=3 * EPOCH, evaluation=Evaluation(grid=36))
    nets = replace(paper.nets, generator=MLPGenerator(width=1600))
    return replace(paper, nets=nets, evaluation=Evaluation(grid=36))
