"""How fast a training step is: against loops of the same nets written by hand, and against the machine's peak.

    python benchmarks/step_speed.py [--device cpu] [RECIPE ...]

`plain` is the loop of most tutorials: two passes of the discriminator and torch's default Adam. `careful` is what a
good user writes: one pass for real and fake, `fused=True`, a discriminator frozen in the generator's turn, and no value
asked of the device. Rounds of all loops alternate, so that other work of the machine slows all of them alike; the least
of all rounds counts. On a CPU the time is that of the process, which other processes do not lengthen.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn

from ebgan.experiment import Experiment, Precision
from ebgan.experiment.building import build
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import EBGAN
from ebgan.recipes import find
from ebgan.records import Batch
from ebgan.training.captured import CapturedStep
from ebgan.training.plan import WATCHED
from ebgan.training.recorder import Recorder
from ebgan.training.step import train_step

Shape = tuple[int, int, int]

ROUNDS, SECONDS = 40, 0.1  # of each loop: short rounds, of which some are not disturbed
SHAPES: dict[str, Shape] = {"digits": (1, 8, 8)}  # of other recipes' images: MNIST
MNIST = (1, 32, 32)


class ByHand:
    """A recipe's two nets in torch's own layers, with the EBGAN-PT losses."""

    def __init__(self, experiment: Experiment, shape: Shape, device: str, *, fused: bool) -> None:
        g, d, objective = experiment.nets.generator, experiment.nets.discriminator, experiment.objective
        assert isinstance(g, MLPGenerator)
        assert isinstance(d, MLPAutoencoder)
        assert d.depth == 2
        assert isinstance(objective, EBGAN)
        pixels = math.prod(shape)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([g.noise] + [g.width] * (g.depth - 1)):
            layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
        self.generator = nn.Sequential(*layers, nn.Linear(g.width, pixels), nn.Tanh()).to(device)
        self.encoder = nn.Sequential(nn.Linear(pixels, d.width), nn.ReLU())
        self.decoder = nn.Linear(d.width, pixels)
        self.discriminator = nn.ModuleList([self.encoder, self.decoder]).to(device)
        self.of_d = torch.optim.Adam(self.discriminator.parameters(), 1e-3, (0.5, 0.999), fused=fused or None)
        self.of_g = torch.optim.Adam(self.generator.parameters(), 1e-3, (0.5, 0.999), fused=fused or None)
        self.batch, self.noise, self.device = experiment.batch, g.noise, device
        self.margin, self.weight = objective.margin or 10.0, objective.pulling_away or 0.0
        self.real = torch.rand(self.batch, pixels, device=device) * 2 - 1

    def samples(self) -> Tensor:
        """Fresh samples of the generator."""
        made: Tensor = self.generator(torch.randn(self.batch, self.noise, device=self.device))
        return made

    def read(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Code and energy of images."""
        code = self.encoder(x)
        return code, torch.linalg.vector_norm(self.decoder(code) - x, dim=1)

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """E(x) + [m - E(G(z))]_+ of energies."""
        return real.mean() + (self.margin - fake).relu().mean()

    def generator_loss(self) -> Tensor:
        """E(G(z)) + w PT of fresh samples."""
        code, energy = self.read(self.samples())
        if not self.weight:
            return energy.mean()
        unit, n = nn.functional.normalize(code, dim=1), self.batch
        return energy.mean() + self.weight * ((unit @ unit.T).square().sum() - n) / (n * (n - 1))

    @staticmethod
    def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        """One move."""
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def plain(experiment: Experiment, shape: Shape, device: str) -> Callable[[], None]:
    """The loop of most tutorials, in float32."""
    loop = ByHand(experiment, shape, device, fused=False)

    def step() -> None:
        fake = loop.samples().detach()
        loop.descend(loop.of_d, loop.discriminator_loss(loop.read(loop.real)[1], loop.read(fake)[1]))
        loop.descend(loop.of_g, loop.generator_loss())

    return step


def careful(experiment: Experiment, shape: Shape, device: str) -> Callable[[], None]:
    """The loop of a good user, in float32."""
    loop = ByHand(experiment, shape, device, fused=True)

    def step() -> None:
        with torch.no_grad():
            fake = loop.samples()
        energy = loop.read(torch.cat((loop.real, fake)))[1]
        loop.descend(loop.of_d, loop.discriminator_loss(energy[: loop.batch], energy[loop.batch :]))
        loop.discriminator.requires_grad_(False)
        loop.descend(loop.of_g, loop.generator_loss())
        loop.discriminator.requires_grad_(True)

    return step


def ours(experiment: Experiment, shape: Shape, device: str) -> Callable[[], None]:
    """`train_step` on a batch that is at hand, with the recorder that a run has."""
    game, progress = build(experiment, shape, device)
    batch = Batch(torch.rand(experiment.batch, *shape, device=device) * 2 - 1)
    recorder, state, seen = Recorder(), progress, 0

    def step() -> None:
        nonlocal state, seen
        watched = seen // experiment.batch % WATCHED == 0
        state, outcome = train_step(game, state, lambda: batch, seen=seen, watched=watched)
        seen += experiment.batch
        recorder.add(seen, outcome)

    return step


def captured(experiment: Experiment, shape: Shape, device: str) -> Callable[[], None]:
    """The same by a `CapturedStep`: one launch a step on a CUDA device."""
    game, progress = build(experiment, shape, device)
    batch = Batch(torch.rand(experiment.batch, *shape, device=device) * 2 - 1)
    recorder, state, seen, take = Recorder(), progress, 0, CapturedStep(game)

    def step() -> None:
        nonlocal state, seen
        watched = seen // experiment.batch % WATCHED == 0
        state, outcome = take(state, lambda: batch, watched=watched)
        seen += experiment.batch
        recorder.add(seen, outcome)

    return step


def least(steps: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds a step, the least of all rounds, rounds alternating."""
    counts, times = {}, dict.fromkeys(steps, float("inf"))
    for name, step in steps.items():
        step()
        begun = now()
        step()
        counts[name] = max(2, int(SECONDS / max(now() - begun, 1e-4)))
    for _ in range(ROUNDS):
        for name, step in steps.items():
            step()  # what the other loops have driven from the caches is there again
            begun = now()
            for _ in range(counts[name]):
                step()
            times[name] = min(times[name], (now() - begun) / counts[name])
    return times


def now() -> float:
    """Seconds: of this process, or where there is an accelerator of the clock when it has done its work."""
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
        return time.perf_counter()
    return time.process_time() / torch.get_num_threads()


def peak(dtype: torch.dtype, device: str) -> float:
    """Floating-point operations a second of a large square product."""
    size = 2048 if device == "cpu" else 8192
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return 2 * size**3 / least({"product": lambda: torch.mm(a, b)})["product"]


def operations(experiment: Experiment, shape: Shape) -> float:
    """Floating-point operations of a step's matrix products: 2 a weight and sample forward, and 2 for each gradient.

    D reads real and fake with gradients of its weights and hidden layer, and G(z) with those of the image; G runs
    forward twice and backward once, less what the noise and D's input do not need.
    """
    g, d, pixels = experiment.nets.generator, experiment.nets.discriminator, math.prod(shape)
    assert isinstance(g, MLPGenerator)
    assert isinstance(d, MLPAutoencoder)
    of_d = 2 * pixels * d.width
    of_g = g.noise * g.width + (g.depth - 2) * g.width**2 + g.width * pixels
    in_d = 2 * (of_d + of_d + of_d // 2) + 2 * of_d
    in_g = of_g + 3 * of_g - g.noise * g.width
    return 2.0 * experiment.batch * (in_d + in_g)


def main() -> None:
    """Print milliseconds a step, ratios and shares of peak."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recipes", nargs="*", default=["digits", "mnist.ebgan_pt"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--no-bf16", dest="bf16", action="store_false", help="leave out bf16, slow where emulated")
    parser.add_argument("--graph", action="store_true", help="add steps that are captured as CUDA graphs")
    given = parser.parse_args()
    for name in given.recipes:
        experiment, shape = find(name).make(), SHAPES.get(name, MNIST)
        precisions: tuple[Precision, ...] = ("fp32", "bf16") if given.bf16 else ("fp32",)
        steps = {"plain fp32": plain(experiment, shape, given.device)}
        steps |= {"careful fp32": careful(experiment, shape, given.device)}
        for precision in precisions:
            settled = replace(experiment, precision=precision)
            steps[f"ours {precision}"] = ours(settled, shape, given.device)
            if given.graph:
                steps[f"captured {precision}"] = captured(settled, shape, given.device)
        times = least(steps)
        work = operations(experiment, shape)
        dtypes = {"fp32": torch.float32, "bf16": torch.bfloat16}
        peaks: dict[str, float] = {precision: peak(dtypes[precision], given.device) for precision in precisions}
        machine = f"{given.device}, {torch.get_num_threads()} threads"
        print(f"{name}: {work / 1e9:.2f} GFLOP a step, batch {experiment.batch}, {machine}")
        print("peak of a product: " + ", ".join(f"{key} {value / 1e9:.0f} GFLOP/s" for key, value in peaks.items()))
        for label, seconds in times.items():
            share = work / seconds / peaks[label.split()[1]]
            plainly, carefully = times["plain fp32"] / seconds, times["careful fp32"] / seconds
            ratios = f"{plainly:5.2f} x plain  {carefully:5.2f} x careful"
            print(f"{label:<14} {seconds * 1e3:7.2f} ms  {ratios}  {share:6.1%} of peak")


if __name__ == "__main__":
    main()
