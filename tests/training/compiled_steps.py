"""Losses of a few steps with compiled passes and without, as one line of JSON; started by test_compiled.

python compiled_steps.py KIND
"""

import json
import sys
from dataclasses import replace

import torch

from ebgan.building import build
from ebgan.energies import AutoencoderEnergy
from ebgan.experiment import Experiment, Nets, Optimisers
from ebgan.nets.dcgan import ConvAutoencoder, ConvGenerator
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import EBGAN, SemiSupervised
from ebgan.records import Batch
from ebgan.stacking import stacked
from ebgan.training.optim import Adam
from ebgan.training.step import train_step

EBGAN_PT = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=2, width=8, noise=3, std=0.3),
        discriminator=MLPAutoencoder(depth=2, width=8, dropout=0.3, std=0.3),
    ),
    objective=EBGAN(margin=8.0, pulling_away=0.1),
    optimisers=Optimisers(discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2)),
    precision="fp64",
)
GENTLE = Adam(lr=1e-2, epsilon=1e-3)  # which makes no steps of gradients that are rounding alone
KINDS = {
    "mlp": EBGAN_PT,
    "stack": stacked([EBGAN_PT, replace(EBGAN_PT, seed=1, objective=EBGAN(margin=4.0, pulling_away=0.5))]),
    "convolutional": replace(
        EBGAN_PT,
        nets=Nets(
            generator=ConvGenerator(width=4, noise=3, std=0.3),
            discriminator=ConvAutoencoder(encoder="(4)4c2s", std=0.3),
        ),
    ),
    "ladder": replace(
        EBGAN_PT,
        nets=replace(EBGAN_PT.nets, discriminator=Ladder(widths=(6,))),
        energy=AutoencoderEnergy(unit="sse"),
        objective=SemiSupervised(inner=EBGAN(margin=50.0)),
        optimisers=Optimisers(discriminator=GENTLE, generator=GENTLE),
    ),
}


def losses(experiment: Experiment, steps: int = 3) -> list[list[float]]:
    """Both players' losses in each step."""
    game, progress = build(experiment, (1, 8, 8), classes=3)
    models = game.randomness.seeds.shape
    generator, told = torch.Generator().manual_seed(0), []
    for _ in range(steps):
        images = torch.rand(*models, 6, 1, 8, 8, generator=generator) * 2 - 1
        labels = torch.randint(3, (*models, 6), generator=generator)
        batch = Batch(images, labelled=Batch(images.flip(-4), labels))
        progress, outcome = train_step(game, progress, lambda: batch)  # noqa: B023
        told += [outcome.values[f"loss_{player}"].flatten().tolist() for player in ("discriminator", "generator")]
    return told


if __name__ == "__main__":
    kind = KINDS[sys.argv[1]]
    compiled = losses(replace(kind, compile=True))
    print(json.dumps({"eager": losses(kind), "compiled": compiled}))  # noqa: T201
