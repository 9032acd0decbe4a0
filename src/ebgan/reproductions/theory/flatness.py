"""Train nets on a one-dimensional Gaussian, and measure during training whether the energy becomes flat on the data.

The conditions of the theorems are not enforced: the discriminator is a net of 64 units trained with small steps, and
expectations are means over batches.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from ebgan.data import Points, open_points
from ebgan.experiment import Experiment, Nets, Optimisers
from ebgan.experiment.starting import start
from ebgan.metrics import transport_distance
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPGenerator
from ebgan.randomness import Randomness
from ebgan.recipes.index import find
from ebgan.records import Batch
from ebgan.runs.examiners.base import METRIC_SEED
from ebgan.samplers import DrawKey, no_source
from ebgan.schedules import Linear
from ebgan.training.game import Game
from ebgan.training.optim import Adam
from ebgan.training.step import Progress

MOMENTS = 10  # measurements during a run, besides the one at the start
POINTS = 4000  # number of points for expectations
SIDE = 400  # points of an energy curve
GENERATOR = MLPGenerator(depth=3, width=64, noise=1, batch_norm=False, std=0.1)
DISCRIMINATORS = {
    "ebgan": MLPAutoencoder(depth=3, width=64, batch_norm=False, std=0.1),
    "gan": MLPDiscriminator(depth=3, width=64, batch_norm=False, std=0.1),
}


class NetsAt(NamedTuple):
    """Measurements at one moment of a run."""

    images: int  # seen
    axis: Tensor  # [side] points
    energy: Tensor  # [side] at these points
    samples: Tensor  # [count]
    spread: float  # standard deviation of the energy over the data
    gamma: float  # mean energy over the data
    value: float  # V(G, D): the discriminator's loss, over fresh points
    distance: float  # Wasserstein-1, samples to data


def setting(objective: str, images: int) -> Experiment:
    """A toy recipe with small nets, no momentum, and a learning rate of the generator ten times smaller."""
    made = find(f"toy.gaussian.{objective}").make()
    settling = Linear(start=1.0, end=0.01, begin=images // 3, finish=images)
    return replace(
        made,
        nets=Nets(generator=GENERATOR, discriminator=DISCRIMINATORS[objective]),
        optimisers=Optimisers(
            discriminator=Adam(lr=2e-3, beta1=0.0, decay=settling), generator=Adam(lr=2e-4, beta1=0.0, decay=settling)
        ),
        images=images,
    )


def watch(experiment: Experiment) -> list[NetsAt]:
    """Train on points, and measure at evenly spaced moments including start and end."""
    points = open_points(experiment.data.source)
    course = start(experiment, points)
    steps = experiment.images // experiment.batch
    looks = [look(course.game, course.progress, points)]
    for key in range(1, MOMENTS + 1):
        for _ in course.steps(steps * key // MOMENTS * course.batch):
            pass
        looks.append(look(course.game, course.progress, points))
    return looks


@torch.no_grad()
def look(game: Game, progress: Progress, points: Points) -> NetsAt:
    """Measure a game on one-dimensional points. (Its nets have no batch norm or dropout that this could disturb.)"""
    real = points.density.sample(Randomness.of(METRIC_SEED), POINTS)[..., None, None]
    sample = game.sampler.sample(game.generator.net, DrawKey(Randomness.of(METRIC_SEED), 0, 0, POINTS), no_source)
    axis = torch.linspace(*points.density.window, SIDE)
    over_data, over_samples = game.read(real), game.read(sample.images)
    loss = game.objective.discriminator(progress.objective, over_data, over_samples, Batch(real)).total
    return NetsAt(
        images=int(progress.seen),
        axis=axis,
        energy=game.read(axis[:, None, None, None]).energy,
        samples=sample.images.flatten(),
        spread=float(over_data.energy.std()),
        gamma=float(over_data.energy.mean()),
        value=float(loss),
        distance=transport_distance(sample.images.flatten(), real.flatten()),
    )
