"""How many steps of one model a second a stack of models comes to, for EBGANs of the grid search.

    python benchmarks/stack_speed.py [--device cuda]

On one thread of a CPU, or on a device; seconds are those of the clock, stacks of each size alternate, and the fastest
round of each counts. Every second model has dropout, as in the grid. A stack whose state is beyond MEMORY is left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from ebgan.experiment import Experiment, Nets
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.recipes import find_grid
from ebgan.records import Batch
from ebgan.training.step import train_step

MODELS = (1, 4, 16, 64)
NETS = ((2, 25, 2, 8), (5, 25, 5, 8), (3, 50, 3, 16), (4, 100, 4, 32), (5, 200, 5, 64), (3, 400, 2, 128))
ROUNDS, LEAST = 4, 0.4  # rounds of each stack, and seconds of a round
MEMORY = 40_000_000  # weights of all models of a stack


def of(nets: tuple[int, int, int, int], dropout: float, seed: int) -> Experiment:
    """An EBGAN of the grid at scale cpu with other nets: nLayerG, sizeG, nLayerD, sizeD."""
    deep, wide, deep_d, wide_d = nets
    both = Nets(
        generator=MLPGenerator(depth=deep, width=wide, noise=32),
        discriminator=MLPAutoencoder(depth=deep_d, width=wide_d, dropout=dropout),
    )
    return replace(find_grid("mnist_grid.ebgan").make("cpu").base, nets=both, seed=seed)


def stepping(nets: tuple[int, int, int, int], models: int, device: torch.device) -> tuple[Callable[[int], None], int]:
    """Something that takes so many steps of a stack, and the weights of one model."""
    members = [of(nets, 0.5 * (place % 2), place) for place in range(models)]
    game, progress = build(stacked(members) if models > 1 else members[0], (1, 8, 8), device)
    lead = (models,) if models > 1 else ()
    batch = Batch(torch.rand(*lead, 64, 1, 8, 8, device=device) * 2 - 1)
    state, seen = [progress], [0]

    def step(count: int) -> None:
        for _ in range(count):
            state[0], outcome = train_step(game, state[0], lambda: batch, seen=seen[0])
            seen[0] += 64
        outcome.finite.any().item()  # waits for the device

    nets_of = (game.generator.net, game.discriminator.net)
    return step, sum(weight.numel() for net in nets_of for weight in net.parameters()) // models


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    device = torch.device(parser.parse_args().device)
    torch.set_num_threads(1)
    print(f"| EBGAN | weights of a model | {' | '.join(map(str, MODELS))} |\n|---|---|{'---|' * len(MODELS)}")
    for nets in NETS:
        size = stepping(nets, 1, device)[1]
        steps = {models: stepping(nets, models, device)[0] for models in MODELS if models * size <= MEMORY}
        counts = {models: _enough(step) for models, step in steps.items()}
        fastest = dict.fromkeys(steps, 0.0)
        for _ in range(ROUNDS):
            for models, step in steps.items():
                begun = time.perf_counter()
                step(counts[models])
                speed = models * counts[models] / (time.perf_counter() - begun)
                fastest[models] = max(fastest[models], speed)
        cells = [f"{fastest[models]:,.0f}" if models in fastest else "" for models in MODELS]
        deep, wide, deep_d, wide_d = nets
        print(f"| {deep} x {wide}, {deep_d} x {wide_d} | {size:,} | {' | '.join(cells)} |", flush=True)


def _enough(step: Callable[[int], None]) -> int:
    """Steps that take a round's time."""
    step(3)
    begun = time.perf_counter()
    step(3)
    return max(3, round(3 * LEAST / (time.perf_counter() - begun)))


if __name__ == "__main__":
    main()
