"""BEGAN, MAGAN and the loss-sensitive GAN on MNIST: a first look at each objective.

MAGAN is its authors' code, with their convolutional generator and their auto-encoder 784-256-256-784, on 28x28 images
in [0, 1], with their optimiser, noise and pretraining. BEGAN's and LS-GAN's papers have no MNIST experiment: what they
fix (gamma, lambda_k, the uniform noise; moments, batch) is theirs, and the fully connected nets are ours, on the 32x32
images in [-1, 1] of the other MNIST recipes. BEGAN's paper halves the learning rates when M_global stalls; that a
window is an epoch and a stall less than 1 % is ours, and the floor, a quarter of the first rate, is that of the widely
used code, which halves at fixed intervals. The length of all three is ours.
"""

from ebgan.energies import AutoencoderEnergy, ScalarEnergy
from ebgan.experiment import Data, Experiment, Nets, Optimisers
from ebgan.nets.magan import MNIST_AUTOENCODER, MNIST_GENERATOR
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPGenerator
from ebgan.objectives import BEGAN, MAGAN, LossSensitiveGAN
from ebgan.recipes.index import recipe
from ebgan.recipes.mnist import EPOCH, MNIST
from ebgan.samplers import Prior
from ebgan.training.adamax import Adamax
from ebgan.training.optim import Adam
from ebgan.training.plateau import Plateau


@recipe("mnist.began", source="BEGAN, on MNIST")
def began() -> Experiment:
    """BEGAN on MNIST: gamma 0.5, lambda_k 0.001, the mean absolute error per pixel."""
    return Experiment(
        data=MNIST,
        nets=Nets(
            generator=MLPGenerator(depth=4, width=512, noise=64),
            discriminator=MLPAutoencoder(depth=3, width=256, batch_norm=False, std=0.05),
        ),
        energy=AutoencoderEnergy(unit="l1"),
        sampler=Prior(distribution="uniform"),
        objective=BEGAN(gamma=0.5, lambda_k=1e-3),
        optimisers=Optimisers(
            discriminator=Adam(lr=1e-4), generator=Adam(lr=1e-4), plateau=Plateau(patience=EPOCH, floor=0.25)
        ),
        images=20 * EPOCH,
        batch=16,
    )


@recipe("mnist.magan", source="MAGAN, MNIST")
def magan() -> Experiment:
    """MAGAN on MNIST: the authors' nets, two epochs of pretraining, Adamax."""
    return Experiment(
        data=Data(source="mnist", limits=(0.0, 1.0)),
        nets=Nets(generator=MNIST_GENERATOR, discriminator=MNIST_AUTOENCODER),
        energy=AutoencoderEnergy(unit="sse"),
        objective=MAGAN(epoch=EPOCH),
        optimisers=Optimisers(discriminator=Adamax(lr=5e-4), generator=Adamax(lr=5e-4)),
        images=22 * EPOCH,
        pretraining=2 * EPOCH,
    )


@recipe("mnist.loss_sensitive", source="LS-GAN, on MNIST")
def loss_sensitive() -> Experiment:
    """The loss-sensitive GAN (not least squares) on MNIST: the L1 distance, weight 0 of the data."""
    return Experiment(
        data=MNIST,
        nets=Nets(
            generator=MLPGenerator(depth=4, width=512),
            discriminator=MLPDiscriminator(depth=3, width=512, batch_norm=False, std=0.05),
        ),
        energy=ScalarEnergy(),
        sampler=Prior(distribution="uniform"),
        objective=LossSensitiveGAN(scale=2.5e-3, real_weight=0.0),
        optimisers=Optimisers(discriminator=Adam(lr=1e-4), generator=Adam(lr=1e-4)),
        images=20 * EPOCH,
    )
