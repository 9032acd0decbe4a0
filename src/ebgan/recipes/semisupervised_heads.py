"""EBGAN and BEGAN on MNIST with few labels: a linear head of classes on the code of their auto-encoders.

No paper has these runs. Images, labels and batches are those of EBGAN-LN (`semisupervised_mnist`), so
that what differs is the discriminator: an auto-encoder without noise, without connections between its halves, and the
objective's own energy. EBGAN's margin is the grid's, 10 on [-1, 1], which is 5 on [0, 1], and falls to 0 over the first
third as EBGAN-LN's does; BEGAN's gamma and lambda_k are its paper's. The weights bring an energy to the size of the
Ladder network's squared error; they and the length, 50 epochs, are ours.
"""

from dataclasses import replace

from ebgan.energies import AutoencoderEnergy
from ebgan.experiment import Experiment, Nets, Optimisers
from ebgan.nets.class_head import ClassHead
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import BEGAN, EBGAN, Scheduled, SemiSupervised
from ebgan.recipes.index import recipe
from ebgan.recipes.semisupervised_mnist import ebgan_ln_of
from ebgan.samplers import Prior
from ebgan.schedules import Linear
from ebgan.training.game import Turns
from ebgan.training.optim import Adam

STEPS = 30_000


@recipe("semisupervised_mnist.ebgan_ae", source="EBGAN, section 2.3, with a head of classes")
def ebgan_ae() -> Experiment:
    """EBGAN with an auto-encoder and a linear head of classes on MNIST, 100 labels; the margin falls from 5 to 0."""
    base = ebgan_ln_of(STEPS)
    falling = Linear(start=5.0, end=0.0, finish=base.images // 3)
    return replace(
        base,
        nets=Nets(generator=base.nets.generator, discriminator=_headed(1000)),
        energy=AutoencoderEnergy(),
        objective=SemiSupervised(inner=Scheduled(EBGAN(margin=5.0), margin=falling), weight=1.0),
    )


@recipe("semisupervised_mnist.began", source="BEGAN, with a head of classes")
def began() -> Experiment:
    """BEGAN with a linear head of classes on MNIST, 100 labels: gamma 0.5, lambda_k 0.001."""
    base = ebgan_ln_of(STEPS)
    return replace(
        base,
        nets=Nets(generator=MLPGenerator(depth=4, width=512, noise=64), discriminator=_headed(256)),
        energy=AutoencoderEnergy(unit="l1"),
        sampler=Prior(distribution="uniform"),
        objective=SemiSupervised(inner=BEGAN(gamma=0.5, lambda_k=1e-3), weight=100.0),
        optimisers=Optimisers(discriminator=Adam(lr=1e-4), generator=Adam(lr=1e-4)),
        turns=Turns(),
    )


def _headed(width: int) -> ClassHead:
    return ClassHead(net=MLPAutoencoder(depth=3, width=width, batch_norm=False, std=0.05))
