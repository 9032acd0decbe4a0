"""What the nets for images of 64, 128 and 256 cost: parameters, operations and memory of a step, images a second.

    python benchmarks/image_nets.py [--batch 16] [--device cpu] [RECIPE ...]

A step is EBGAN-PT's whole step: both players' turns and their optimisers. Operations are those of products and
convolutions, counted by torch on tensors without numbers. Memory is the most that the process held in the step beyond
what it held before it built the nets. On the CPU seconds are those that the processor spent, so that other work of the
machine weighs little; each recipe is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from ebgan.experiment import Experiment, Optimisers
from ebgan.experiment.building import build
from ebgan.recipes import find
from ebgan.records import Batch
from ebgan.training.game import Game
from ebgan.training.optim import SGD
from ebgan.training.step import Progress, train_step

RECIPES = ("faces64.dcgan", "faces64.ebgan_pt", "faces64.began", "imagenet128.ebgan_pt", "imagenet256_dogs.ebgan_pt")
STEPS = 2  # that are measured, after as many that are not: the first one allocates


def shape_of(experiment: Experiment) -> tuple[int, int, int]:
    """The images' shape: three channels of the size that the recipe brings its pictures to."""
    size = experiment.data.crop or experiment.data.size or 64
    return 3, size, size


def step(game: Game, progress: Progress, experiment: Experiment) -> Progress:
    """One step on a batch that is at hand."""
    images = torch.rand(experiment.batch, *shape_of(experiment), device=progress.seen.device) * 2 - 1
    return train_step(game, progress, lambda: Batch(images))[0]


def counted(experiment: Experiment) -> dict[str, float]:
    """Parameters of both nets, and operations a step and image."""
    still = Optimisers(discriminator=SGD(lr=0.0), generator=SGD(lr=0.0))  # Adam's own kernel needs numbers
    game, progress = build(replace(experiment, optimisers=still), shape_of(experiment), "meta")
    with FlopCounterMode(display=False) as counter:
        step(game, progress, experiment)
    sizes = [
        sum(weight.numel() for weight in player.optimiser.weights) for player in (game.generator, game.discriminator)
    ]
    return {
        "generator": sizes[0],
        "discriminator": sizes[1],
        "operations": counter.get_total_flops() / experiment.batch,
    }


def measured(experiment: Experiment, device: str) -> dict[str, float]:
    """Bytes at the peak of a step, and images a second."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    game, progress = build(experiment, shape_of(experiment), device)
    for _ in range(STEPS):
        progress = step(game, progress, experiment)
    begun = _clock(device)
    for _ in range(STEPS):
        progress = step(game, progress, experiment)
    seconds = _clock(device) - begun
    on_cpu = device == "cpu"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before if on_cpu else _peak(device)
    return {"memory": peak, "images": STEPS * experiment.batch / seconds}


def _clock(device: str) -> float:
    if device == "cpu":
        return time.process_time()
    torch.accelerator.synchronize()
    return time.perf_counter()


def _peak(device: str) -> float:
    return torch.cuda.max_memory_allocated(device)


def main() -> None:
    """Print a line a recipe; `--alone` is how the script asks a process of its own for one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recipes", nargs="*", default=RECIPES)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--alone", action="store_true")
    given = parser.parse_args()
    if given.alone:
        experiment = replace(find(given.recipes[0]).make(), batch=given.batch)
        found = measured(experiment, given.device)
        print(json.dumps(counted(experiment) | found))
        return
    print(f"batch {given.batch}, {given.device}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print("| recipe | G, M | D, M | GFLOP an image | memory, GB | images/s |\n|---|---|---|---|---|---|")
    for recipe in given.recipes:
        again = [sys.executable, __file__, recipe, "--alone", "--batch", str(given.batch), "--device", given.device]
        found = json.loads(subprocess.run(again, capture_output=True, text=True, check=True).stdout)
        sizes = f"{found['generator'] / 1e6:.2f} | {found['discriminator'] / 1e6:.2f} | {found['operations'] / 1e9:.1f}"
        print(f"| `{recipe}` | {sizes} | {found['memory'] / 1e9:.2f} | {found['images']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
