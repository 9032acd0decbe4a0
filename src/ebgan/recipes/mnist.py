"""MNIST as in figure 4 of the EBGAN paper: the best GAN and EBGAN of the grid search, and EBGAN-PT.

All on 32x32 images (28x28 with black pixels around) in [-1, 1]. The paper gives neither batch size nor length: 64 (the
DCGAN code's) and 15 epochs are ours.
"""

from dataclasses import replace

from ebgan.energies import LogisticEnergy
from ebgan.experiment import Data, Experiment, Nets, Optimisers
from ebgan.nets.by_class import ClassAutoencoder, ClassGenerator
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPGenerator
from ebgan.objectives import EBGAN, GAN, ClassConditional, Scheduled
from ebgan.recipes.index import recipe
from ebgan.schedules import Linear
from ebgan.training.game import Turns
from ebgan.training.optim import SGD, Adam

EPOCH = 60_000
IMAGES = 15 * EPOCH
MNIST = Data(source="mnist", padding=2)


@recipe("mnist.ebgan_pt", source="EBGAN, figure 4(c)")
def ebgan_pt() -> Experiment:
    """EBGAN-PT on MNIST: the best EBGAN of the grid with the pulling-away term, weight 0.1."""
    return _ebgan(EBGAN(margin=10.0, pulling_away=0.1))


@recipe("mnist.ebgan", source="EBGAN, figure 4(b)")
def ebgan() -> Experiment:
    """EBGAN on MNIST: nLayerG 5, sizeG 800, nLayerD 2, sizeD 1024, margin 10."""
    return _ebgan(EBGAN(margin=10.0))


@recipe("mnist.by_class", source="EBGAN, section 5")
def by_class() -> Experiment:
    """EBGAN of images and classes on MNIST, with the nets of `mnist.ebgan`: samples of the class asked for."""
    plain = _ebgan(EBGAN(margin=10.0))
    nets = Nets(
        generator=ClassGenerator(net=plain.nets.generator), discriminator=ClassAutoencoder(net=plain.nets.discriminator)
    )
    return replace(plain, nets=nets, objective=ClassConditional(inner=plain.objective))


@recipe("mnist.ebgan_decay", source="EBGAN, appendix E")
def ebgan_decay() -> Experiment:
    """EBGAN on MNIST with a margin that falls linearly from 10 to 0 over the run."""
    return _ebgan(Scheduled(EBGAN(margin=10.0), margin=Linear(start=10.0, end=0.0, finish=IMAGES)))


@recipe("mnist.gan", source="EBGAN, figure 4(a)")
def gan() -> Experiment:
    """The best GAN of the grid on MNIST: nLayerG 5, sizeG 1600, nLayerD 2, sizeD 1024, SGD with 0.01 for both."""
    return Experiment(
        data=MNIST,
        nets=Nets(generator=MLPGenerator(depth=5, width=1600), discriminator=MLPDiscriminator(depth=2, width=1024)),
        energy=LogisticEnergy(),
        objective=GAN(),
        optimisers=Optimisers(discriminator=SGD(lr=0.01), generator=SGD(lr=0.01)),
        images=IMAGES,
        turns=Turns(joined=True),
    )


def _ebgan(objective: EBGAN | Scheduled) -> Experiment:
    return Experiment(
        data=MNIST,
        nets=Nets(generator=MLPGenerator(depth=5, width=800), discriminator=MLPAutoencoder(depth=2, width=1024)),
        objective=objective,
        optimisers=Optimisers(discriminator=Adam(lr=1e-3), generator=Adam(lr=1e-3)),
        images=IMAGES,
        turns=Turns(joined=True),
    )
