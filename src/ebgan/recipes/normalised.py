"""Normalised auto-encoders (Yoon, Noh & Park, 2021): an auto-encoder alone, then with chains on its energy.

The energy is the mean over pixels of the squared error, codes have length 1, and the learning rate falls to a tenth
when the chains begin, as in the authors' code. There, nets are convolutional, chains take 50 steps in the image, and
training takes 100 epochs alone and 50 with chains. Here nets are fully connected, chains take 20 steps and training
some minutes of a CPU; the penalty on the encoder's weights and the noise on the pixels are left out.

The generator has no turn and is as small as it may be: samples are ends of chains.
"""

from __future__ import annotations

from dataclasses import replace

from ebgan.energies import AutoencoderEnergy
from ebgan.experiment import Data, Evaluation, Experiment, Nets, Optimisers
from ebgan.nets.mlp import MLPGenerator
from ebgan.nets.spherical import SphericalAutoencoder
from ebgan.objectives import NAE
from ebgan.recipes.index import recipe
from ebgan.samplers import Langevin
from ebgan.schedules import Steps
from ebgan.training.game import Turns
from ebgan.training.optim import Adam

SOURCE = "Yoon, Noh & Park, 2021"
IDLE = MLPGenerator(depth=2, width=8, noise=2, batch_norm=False)  # never trained


def normalised(
    data: Data, net: SphericalAutoencoder, sampler: Langevin, *, batch: int, steps: tuple[int, int]
) -> Experiment:
    """So many steps of the auto-encoder alone, and then with chains."""
    alone, after = steps
    rate = Steps(values=(1.0, 0.1), boundaries=(alone * batch,))
    return Experiment(
        data=data,
        nets=Nets(generator=IDLE, discriminator=net),
        energy=AutoencoderEnergy(unit="mse"),
        sampler=sampler,
        objective=NAE(),
        optimisers=Optimisers(discriminator=Adam(lr=1e-3, beta1=0.9, decay=rate), generator=Adam(lr=1e-3)),
        turns=Turns(generator=0),
        images=(alone + after) * batch,
        pretraining=alone * batch,
        batch=batch,
    )


@recipe("digits.nae", source=SOURCE)
def digits() -> Experiment:
    """A normalised auto-encoder on the 8x8 digits inside scikit-learn."""
    data = Data(source="digits", limits=(0.0, 1.0))
    return normalised(data, SphericalAutoencoder(), Langevin(chains=2_000, steps=20), batch=64, steps=(1_000, 300))


@recipe("mnist.nae", source=SOURCE)
def mnist() -> Experiment:
    """A normalised auto-encoder on MNIST, with fully connected nets."""
    data = Data(source="mnist", limits=(0.0, 1.0))
    return normalised(data, SphericalAutoencoder(width=512), Langevin(steps=20), batch=128, steps=(5_000, 2_000))


@recipe("toy.ring.nae", source=SOURCE)
def ring() -> Experiment:
    """A normalised auto-encoder on a ring of 8 Gaussians."""
    made = normalised(
        Data(source="toy.ring", limits=None),
        SphericalAutoencoder(width=128, code=3, output="linear"),
        Langevin(chains=2_000, steps=20, step=0.5, clip=None),
        batch=128,
        steps=(2_000, 1_000),
    )
    return replace(made, evaluation=Evaluation(samples=2_500, grid=1_000))
