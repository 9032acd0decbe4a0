"""The grid by which the EBGAN paper tuned its Ladder network (appendix D): 20 runs on MNIST with 100 labels.

    weight of the squared error    5000/784, 2000/784, 1000/784, 500/784
    learning rate                  0.002, 0.001, 0.0005, 0.0002, 0.0001

The paper's best is 1000/784 with 0.0002. It does not say on which images it chose: here trials are scored on training
images whose class was not told, and the test error stands beside.

The scales: `paper` is the above in 120,000 steps. `cpu` is the same on MNIST in a twentieth of the steps, with the
decay scaled. `tiny` takes two values of each axis, narrow nets on the 8x8 digits of scikit-learn, with weights over 64
pixels, and 40 steps: it shows the machinery, not the result.
"""

from __future__ import annotations

from dataclasses import replace

from ebgan.experiment import Experiment, Labelled, Nets
from ebgan.experiment.grid import Grid
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPGenerator
from ebgan.recipes.index import Scale, grid
from ebgan.recipes.semisupervised_mnist import LADDER_STEPS, ladder_of

WEIGHTS = (5000, 2000, 1000, 500)  # over the number of pixels
RATES = (2e-3, 1e-3, 5e-4, 2e-4, 1e-4)


@grid("semisupervised_grid", source="EBGAN, appendix D")
def tuning(scale: Scale) -> Grid:
    """The 20 Ladder networks of appendix D: each weight of the squared error with each learning rate."""
    small = scale == "tiny"
    weights, rates = (WEIGHTS[::3], RATES[::3]) if small else (WEIGHTS, RATES)
    return Grid(
        base=_small() if small else ladder_of(LADDER_STEPS // (20 if scale == "cpu" else 1)),
        axes={
            "objective.weight": tuple(weight / (64 if small else 784) for weight in weights),
            "optimisers.discriminator.lr": rates,
        },
    )


def _small() -> Experiment:
    made = ladder_of(40)
    return replace(
        made,
        data=replace(made.data, source="digits"),
        labelled=Labelled(count=50, batch=50),
        nets=Nets(generator=MLPGenerator(depth=2, width=8, noise=4), discriminator=Ladder(widths=(20, 10))),
    )
