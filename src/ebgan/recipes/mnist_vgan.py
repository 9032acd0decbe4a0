"""VGAN and VCD on MNIST with fully connected nets: a first look at what the paper shows with convolutional ones.

The paper has VGAN on CIFAR-10 (section 7.1) and VCD on MNIST, CIFAR-10 and SVHN (7.2). Its Adadelta with rate 0.1, its
100 experts, batch norm in the generator alone, codes of 256 numbers and rho = 0.01 are here; of the authors' code the
batch of 100 and, for VCD, images of 28x28 in [0, 1], on which rho depends. The nets and the length are ours, and so are
the 100 dimensions of VGAN's noise, which the paper does not give, and its images in [-1, 1]: in [0, 1] the generator's
first gradients are a twelfth of these, and the experts' energies stay at their ceiling, where there is no slope.
"""

from ebgan.energies import ExpertsEnergy
from ebgan.experiment import Data, Experiment, Nets, Optimisers
from ebgan.nets.mlp import MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import VCD, VGAN
from ebgan.recipes.index import recipe
from ebgan.recipes.mnist import EPOCH
from ebgan.samplers import Prior, Transition
from ebgan.training.adadelta import Adadelta

BATCH = 100
ADADELTA = Optimisers(discriminator=Adadelta(lr=0.1), generator=Adadelta(lr=0.1))


@recipe("mnist.vgan", source="VGAN, on MNIST")
def vgan() -> Experiment:
    """VGAN on MNIST: 100 experts, one generator turn a step (k = 1; `--turns.generator 3` is the paper's other)."""
    return Experiment(
        data=Data(source="mnist"),
        nets=Nets(
            generator=MLPGenerator(depth=4, width=512), discriminator=MLPExperts(depth=2, width=512, experts=100)
        ),
        energy=ExpertsEnergy(),
        sampler=Prior(distribution="uniform"),
        objective=VGAN(),
        optimisers=ADADELTA,
        images=20 * EPOCH,
        batch=BATCH,
    )


@recipe("mnist.vcd", source="VGAN, figure 3")
def vcd() -> Experiment:
    """VCD on MNIST: transitions from images of the data, rho 0.01, codes of 256 numbers."""
    return Experiment(
        data=Data(source="mnist", limits=(0.0, 1.0)),
        nets=Nets(
            generator=MLPTransition(depth=2, width=800, code=256),
            discriminator=MLPExperts(depth=3, width=512, experts=100),
        ),
        energy=ExpertsEnergy(),
        sampler=Transition(),
        objective=VCD(rho=0.01),
        optimisers=ADADELTA,
        images=20 * EPOCH,
        batch=BATCH,
    )
