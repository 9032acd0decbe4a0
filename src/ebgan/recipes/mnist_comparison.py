"""Every objective on MNIST with the same nets, and the same number of images: the benchmark of the comparison.

The nets are of the widths of the paper's grid search, small enough that each objective takes a minute or two. None of
them is at its best here. Discriminators have two weight layers, and so no batch norm, which MAGAN, BEGAN, VGAN and
WGAN-GP could not have; the first weights are wider than the paper's, about Glorot's. The nets that a paper describes
are those of `mnist.*`.
"""

from __future__ import annotations

from ebgan.experiment import Evaluation, Experiment
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.recipes.index import recipe
from ebgan.recipes.methods import METHODS, Benchmark, Method, enter
from ebgan.recipes.mnist import EPOCH, MNIST

EPOCHS = 3
WIDTH, STD = 512, 0.04  # of the discriminators' layers, and of their first weights
BENCHMARK = Benchmark(
    data=MNIST,
    generator=MLPGenerator(depth=5, width=400),
    discriminators={
        "autoencoder": MLPAutoencoder(depth=2, width=WIDTH, std=STD),
        "classifier": MLPDiscriminator(depth=2, width=WIDTH, std=STD),
        "experts": MLPExperts(depth=2, width=WIDTH, experts=100, std=STD),
    },
    margin=10.0,
    distance=2.5e-3,
    gradient_penalty=10.0,
    epoch=EPOCH,
    images=EPOCHS * EPOCH,
    batch=64,
    lr=1e-3,
    evaluation=Evaluation(every=EPOCH),
)


def _enter(name: str, method: Method) -> None:
    def make() -> Experiment:
        return enter(method, BENCHMARK)

    make.__doc__ = f"{method.title} on MNIST, on the nets that all objectives share."
    recipe(f"mnist_comparison.{name}", method.source)(make)


for _name, _method in METHODS.items():
    _enter(_name, _method)
