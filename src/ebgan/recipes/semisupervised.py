"""A folder of pictures of which few are labelled: the Ladder network on them.

    ebgan train semisupervised.folder --data images/ --labels labels.csv

The settings are those of `semisupervised_mnist.ladder_quarter`, in fp32, with the weight of 1000 on the mean squared
error of a pixel, so that it means the same for pictures of any size. Pictures are read as 32x32. A fifth of the
labelled images is kept to measure the error, unless the folder has folders `train` and `test`. The length is ours.
"""

from dataclasses import replace

from ebgan.energies import LadderEnergy
from ebgan.experiment import Data, Experiment, Labelled
from ebgan.nets.ladder import Ladder
from ebgan.objectives import EBGAN, SemiSupervised
from ebgan.recipes.index import recipe
from ebgan.recipes.semisupervised_mnist import QUARTER_RATE, ladder_of

STEPS = 20_000


@recipe("semisupervised.folder", source="Rasmus et al., bottom-layer cost, on your pictures")
def folder() -> Experiment:
    """The Ladder network on a folder of pictures with few labels (--data FOLDER --labels FILE)."""
    made = ladder_of(STEPS, rate=QUARTER_RATE)
    return replace(
        made,
        nets=replace(made.nets, discriminator=Ladder(top_scale=True)),
        data=Data(source="pictures", size=32, limits=(0.0, 1.0)),
        labelled=Labelled(count=None),
        energy=LadderEnergy(weights=(1000.0,)),
        objective=SemiSupervised(inner=EBGAN(), weight=1.0),
    )
