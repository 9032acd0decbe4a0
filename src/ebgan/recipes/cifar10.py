"""BEGAN and MAGAN on CIFAR-10, on which both papers state an inception score (5.62 and 5.67).

MAGAN is its authors' code: nets, 320 noises, Adamax, two epochs of pretraining and 200 more. BEGAN's paper names gamma,
lambda_k, batch 16 and rates of 0.00005 to 0.0001, halved where M_global stalls, but no nets for this data: here n and h
are 64 as in its figure 1. What counts as a stall (less than 1 % in an epoch), the floor of a quarter of the first rate
and the length are ours.
"""

from ebgan.energies import AutoencoderEnergy
from ebgan.experiment import Data, Experiment, Nets, Optimisers
from ebgan.nets.began import BEGANAutoencoder, BEGANGenerator
from ebgan.nets.magan import CIFAR10_AUTOENCODER, CIFAR10_GENERATOR
from ebgan.objectives import BEGAN, MAGAN
from ebgan.recipes.index import recipe
from ebgan.samplers import Prior
from ebgan.training.adamax import Adamax
from ebgan.training.optim import Adam
from ebgan.training.plateau import Plateau

EPOCH = 50_000


@recipe("cifar10.began", source="BEGAN, CIFAR-10")
def began() -> Experiment:
    """BEGAN on CIFAR-10: n = h = 64, gamma 0.5."""
    adam = Adam(lr=1e-4)
    return Experiment(
        data=Data(source="cifar10"),
        nets=Nets(generator=BEGANGenerator(width=64), discriminator=BEGANAutoencoder(width=64)),
        energy=AutoencoderEnergy(unit="l1"),
        sampler=Prior(distribution="uniform"),
        objective=BEGAN(gamma=0.5, lambda_k=1e-3),
        optimisers=Optimisers(discriminator=adam, generator=adam, plateau=Plateau(patience=EPOCH, floor=0.25)),
        images=100 * EPOCH,
        batch=16,
    )


@recipe("cifar10.magan", source="MAGAN, CIFAR-10")
def magan() -> Experiment:
    """MAGAN on CIFAR-10: the authors' nets, two epochs of pretraining, Adamax."""
    adamax = Adamax(lr=5e-4)
    return Experiment(
        data=Data(source="cifar10"),
        nets=Nets(generator=CIFAR10_GENERATOR, discriminator=CIFAR10_AUTOENCODER),
        energy=AutoencoderEnergy(unit="sse"),
        objective=MAGAN(epoch=EPOCH),
        optimisers=Optimisers(discriminator=adamax, generator=adamax),
        images=202 * EPOCH,
        pretraining=2 * EPOCH,
    )
