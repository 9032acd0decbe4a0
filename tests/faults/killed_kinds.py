"""Short runs of every objective, and of the parts of an experiment that no other run of these tests has."""

from dataclasses import replace

from ebgan.energies import AutoencoderEnergy
from ebgan.experiment import Data, Evaluation, Experiment, Labelled, Nets, Optimisers
from ebgan.nets.class_head import ClassHead
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.nets.spherical import SphericalAutoencoder
from ebgan.objectives import BEGAN
from ebgan.recipes import find
from ebgan.recipes.methods import METHODS
from ebgan.samplers import Langevin
from ebgan.training.optim import Adam

STEPS = 10  # with a checkpoint after each second one
SMALL = Experiment(
    nets=Nets(generator=MLPGenerator(depth=3, width=10, noise=5), discriminator=MLPAutoencoder(depth=3, width=12)),
    energy=AutoencoderEnergy(unit="l1"),
    objective=BEGAN(lambda_k=0.25),
    optimisers=Optimisers(discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2)),
)
HEADED = replace(SMALL.nets, discriminator=ClassHead(net=MLPAutoencoder(depth=3, width=12)))
ELSEWHERE = ("gan", "ebgan", "ebgan_pt", "began", "magan", "vgan_k3")  # whose like is among the runs of conftest


def short(experiment: Experiment, batch: int = 12) -> Experiment:
    """The first steps of an experiment."""
    length = STEPS * batch
    return replace(
        experiment,
        labelled=Labelled(count=10, batch=6),
        images=length,
        batch=batch,
        checkpoint=2 * batch,
        pretraining=0 if experiment.pretraining == 0 else 4 * batch,
        precision="fp32",
        evaluation=Evaluation(grid=4, samples=8, pictures=length, every=length),
    )


TOYS = {name: short(find(f"toy.ring.{name}").make(), batch=120) for name in METHODS}
OTHERS = {
    "crops and mirrors": short(replace(SMALL, data=Data(size=8, crop=6, flip=True))),
    "accumulate": short(replace(SMALL, accumulate=3, accumulate_norms=True, ema=50)),
    "chains": short(
        replace(
            find("digits.nae").make(),
            nets=replace(SMALL.nets, discriminator=SphericalAutoencoder(width=12, code=4)),
            sampler=Langevin(chains=30, restart=0.25, steps=2, code_steps=2),
        )
    ),
    "class head": short(replace(find("semisupervised_mnist.began").make(), nets=HEADED)),
}
