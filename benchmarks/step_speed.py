"""How fast a training step is: against a plain eager float32 loop of the same nets, and against the machine's peak.

    python benchmarks/step_speed.py [--device cpu] [--compile] [RECIPE ...]

Times alternate within one run, so that what else the machine does weighs on all alike; the least of all rounds counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn

from ebgan.building import build
from ebgan.experiment import Experiment
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.recipes import find
from ebgan.records import Batch
from ebgan.training.step import train_step

ROUNDS, STEPS = 8, 10
SHAPE = (1, 32, 32)


def plain(experiment: Experiment, device: str) -> Callable[[], None]:
    """The loop that one writes by hand: torch's own layers and Adam, float32, two passes of D, autograd's backward."""
    g, d = experiment.nets.generator, experiment.nets.discriminator
    assert isinstance(g, MLPGenerator)
    assert isinstance(d, MLPAutoencoder)
    sizes = [g.noise] + [g.width] * (g.depth - 1)
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
    generator = nn.Sequential(*layers, nn.Linear(g.width, 1024), nn.Tanh()).to(device)
    encoder, decoder = nn.Sequential(nn.Linear(1024, d.width), nn.ReLU()), nn.Linear(d.width, 1024)
    discriminator = nn.ModuleList([encoder, decoder]).to(device)
    of_d = torch.optim.Adam(discriminator.parameters(), 1e-3, (0.5, 0.999))
    of_g = torch.optim.Adam(generator.parameters(), 1e-3, (0.5, 0.999))
    real = torch.rand(experiment.batch, 1024, device=device) * 2 - 1

    def read(x: Tensor) -> tuple[Tensor, Tensor]:
        code = encoder(x)
        return code, (decoder(code) - x).norm(dim=1)

    def step() -> None:
        fake = generator(torch.randn(experiment.batch, g.noise, device=device)).detach()
        loss = read(real)[1].mean() + (10 - read(fake)[1]).relu().mean()
        of_d.zero_grad()
        loss.backward()
        of_d.step()
        code, energy = read(generator(torch.randn(experiment.batch, g.noise, device=device)))
        unit = nn.functional.normalize(code, dim=1)
        n = experiment.batch
        loss = energy.mean() + 0.1 * ((unit @ unit.T).square().sum() - n) / (n * (n - 1))
        of_g.zero_grad()
        loss.backward()
        of_g.step()

    return step


def ours(experiment: Experiment, device: str) -> Callable[[], None]:
    """`train_step` on a batch that is at hand."""
    game, progress = build(experiment, SHAPE, device)
    batch = Batch(torch.rand(experiment.batch, *SHAPE, device=device) * 2 - 1)
    state = [progress]

    def step() -> None:
        state[0], _ = train_step(game, state[0], lambda: batch)

    return step


def least(steps: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Seconds a step, the least of all rounds, rounds alternating."""
    times = dict.fromkeys(steps, float("inf"))
    for step in steps.values():
        step()
    for _ in range(ROUNDS):
        for name, step in steps.items():
            begun = now()
            for _ in range(STEPS):
                step()
            times[name] = min(times[name], (now() - begun) / STEPS)
    return times


def now() -> float:
    """Seconds, when the accelerator, if there is one, has done what it was asked to."""
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    return time.perf_counter()


def peak(dtype: torch.dtype, device: str) -> float:
    """Floating-point operations a second of a large square product."""
    size = 2048 if device == "cpu" else 8192
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return 2 * size**3 / least({"product": lambda: torch.mm(a, b)})["product"]


def operations(experiment: Experiment) -> float:
    """Floating-point operations of a step's matrix products: 2 a weight and sample forward, and 2 for each gradient.

    D reads real and fake with gradients of its weights and hidden layer, and G(z) with those of the image; G runs
    forward twice and backward once, less what the noise and D's input do not need.
    """
    g, d = experiment.nets.generator, experiment.nets.discriminator
    assert isinstance(g, MLPGenerator)
    assert isinstance(d, MLPAutoencoder)
    of_d = 2 * 1024 * d.width
    of_g = g.noise * g.width + (g.depth - 2) * g.width**2 + g.width * 1024
    in_d = 2 * (of_d + of_d + of_d // 2) + 2 * of_d
    in_g = of_g + 3 * of_g - g.noise * g.width
    return 2.0 * experiment.batch * (in_d + in_g)


def main() -> None:
    """Print milliseconds a step, ratios and shares of peak."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recipes", nargs="*", default=["mnist.ebgan_pt"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true", help="also with the nets' passes compiled")
    given = parser.parse_args()
    for name in given.recipes:
        experiment = find(name).make()
        wide = replace(experiment, precision="fp32")
        half = replace(experiment, precision="bf16")
        steps = {"plain fp32": plain(experiment, given.device)}
        steps |= {"ours fp32": ours(wide, given.device), "ours bf16": ours(half, given.device)}
        if given.compile:
            steps["ours bf16 compiled"] = ours(replace(half, compile=True), given.device)
        times = least(steps)
        work = operations(experiment)
        peaks = {"fp32": peak(torch.float32, given.device), "bf16": peak(torch.bfloat16, given.device)}
        machine = f"{given.device}, {torch.get_num_threads()} threads"
        print(f"{name}: {work / 1e9:.2f} GFLOP a step, batch {experiment.batch}, {machine}")
        print("peak of a product: " + ", ".join(f"{key} {value / 1e9:.0f} GFLOP/s" for key, value in peaks.items()))
        for label, seconds in times.items():
            share = work / seconds / peaks[label.split()[1]]
            ratio = times["plain fp32"] / seconds
            print(f"{label:<18} {seconds * 1e3:7.2f} ms  {ratio:5.2f} x plain  {share:6.1%} of peak")


if __name__ == "__main__":
    main()
