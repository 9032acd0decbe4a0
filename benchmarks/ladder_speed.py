"""How fast a step of the Ladder network is, against a plain eager float32 loop of the same net, alone and stacked.

    python benchmarks/ladder_speed.py

The loop is what a good user writes: fused Adam, the same passes as ours (labelled and unlabelled images apart, since
batch norm tells them apart), and no value asked of the net. Seconds are those of the processor on one thread, rounds
alternate, and the least of all counts, so that other work of the machine weighs little. Each round is told on stderr.
`ebgan_ln` is measured while its generator plays.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ebgan.experiment import Experiment
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets.ladder import Ladder
from ebgan.recipes import find
from ebgan.records import Batch
from ebgan.training.step import train_step

ROUNDS, STEPS = 5, 8
SHAPE, CLASSES, BATCH = (1, 28, 28), 10, 100
SIZES = (784, *Ladder().widths, CLASSES)


class Plain(nn.Module):
    """The Ladder network as one writes it by hand: torch's own layers, a loop up and a loop down."""

    def __init__(self) -> None:
        super().__init__()
        pairs = list(pairwise(SIZES))
        self.up = nn.ModuleList(nn.Linear(below, above, bias=False) for below, above in pairs)
        self.down = nn.ModuleList(nn.Linear(above, below, bias=False) for below, above in pairs)
        self.beta = nn.ParameterList(nn.Parameter(torch.zeros(above)) for _, above in pairs)
        self.a = nn.ParameterList(nn.Parameter(torch.rand(10, size)) for size in SIZES)

    def encode(self, x: Tensor, noise: float) -> list[Tensor]:
        """The noisy value of each layer, and the logits."""
        z = [x + noise * torch.randn_like(x)]
        hidden = z[0]
        for layer, beta in zip(self.up, self.beta, strict=True):
            before = functional.batch_norm(layer(hidden), None, None, training=True)
            z.append(before + noise * torch.randn_like(before))
            hidden = (z[-1] + beta).relu()
        return [*z, z[-1] + self.beta[-1]]

    def decode(self, z: list[Tensor], logits: Tensor) -> Tensor:
        """The estimate of the pixels."""
        signal = logits.softmax(-1)
        for place in reversed(range(len(z))):
            u = functional.batch_norm(signal, None, None, training=True)
            a = self.a[place]
            mean = a[0] * (a[1] * u + a[2]).sigmoid() + a[3] * u + a[4]
            share = a[5] * (a[6] * u + a[7]).sigmoid() + a[8] * u + a[9]
            signal = (z[place] - mean) * share + mean
            if place:
                signal = self.down[place - 1](signal)
        return signal


def plain() -> Callable[[], None]:
    """A step of labelled and unlabelled images, with torch's fused Adam."""
    net = Plain()
    optimiser = torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999), fused=True)
    images, told = torch.rand(BATCH, 784), torch.rand(BATCH, 784)
    labels = torch.arange(BATCH) % CLASSES

    def step() -> None:
        *z, logits = net.encode(images, 0.3)
        error = (net.decode(z, logits) - images).square().sum(1).mean()
        loss = functional.cross_entropy(net.encode(told, 0.3)[-1], labels) + 1000 / 784 * error
        with torch.no_grad():
            net.encode(images, 0.0)  # for the statistics of evaluation
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()

    return step


def ours(experiment: Experiment, models: int = 1) -> Callable[[], None]:
    """`train_step` on batches that are at hand, of one model or of a stack."""
    if models > 1:
        experiment = stacked([replace(experiment, seed=seed) for seed in range(models)])
    lead = (models,) if models > 1 else ()
    game, progress = build(experiment, SHAPE, classes=CLASSES)
    labels = torch.arange(BATCH).expand(*lead, BATCH) % CLASSES
    told = Batch(torch.rand(*lead, BATCH, *SHAPE), labels)
    batch = Batch(torch.rand(*lead, BATCH, *SHAPE), labelled=told)
    state, seen, turns = [progress], [0], (1, 0 if experiment.turns.generator == 0 else 1)

    def step() -> None:
        state[0], _ = train_step(game, state[0], lambda: batch, turns, seen=seen[0])
        seen[0] += BATCH

    return step


def main() -> None:
    """Print milliseconds a step and model, and ratios to the plain loop."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    ladder, ebgan_ln = (find(f"semisupervised_mnist.{name}").make() for name in ("ladder", "ebgan_ln"))
    narrow = {"fp32": ladder, "bf16": replace(ladder, precision="bf16")}
    steps = {
        "plain loop, fp32": (plain(), 1),
        "ladder, fp32": (ours(narrow["fp32"]), 1),
        "ladder, bf16": (ours(narrow["bf16"]), 1),
        "ladder, fp32, a stack of 2": (ours(narrow["fp32"], 2), 2),
        "ladder, bf16, a stack of 2": (ours(narrow["bf16"], 2), 2),
        "ebgan_ln, fp32": (ours(ebgan_ln), 1),
        "ebgan_ln, bf16": (ours(replace(ebgan_ln, precision="bf16")), 1),
    }
    times = dict.fromkeys(steps, float("inf"))
    for turn in range(ROUNDS):
        for name, (step, models) in steps.items():
            begun = time.process_time()
            for _ in range(STEPS):
                step()
            seconds = (time.process_time() - begun) / STEPS / models
            times[name] = min(times[name], seconds)
            print(f"round {turn + 1} of {ROUNDS}: {name} {seconds * 1e3:.1f} ms", file=sys.stderr, flush=True)
    print("| | ms a step and model | the plain loop over it |\n|---|---|---|")
    for name, seconds in times.items():
        ratio = "" if name.startswith("ebgan_ln") else f"{times['plain loop, fp32'] / seconds:.2f}"
        print(f"| {name} | {seconds * 1e3:.1f} | {ratio} |")


if __name__ == "__main__":
    main()
