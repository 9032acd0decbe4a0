"""How fast a step of the convolutional nets at 64 pixels is, against a loop of the same nets that one writes by hand.

    python benchmarks/conv_speed.py [--width 64] [--batch 64] [--rounds 5] [--device cpu] [--no-bf16]

The step is that of `faces64.ebgan_pt`, with `--width` feature maps at its largest size. The loop is what a good user
writes in float32: `channels_last`, fused Adam, samples for the discriminator without a graph, a discriminator that is
frozen in the generator's turn, and no value asked of the device. Real images and samples pass the discriminator apart,
in both, since its batch norm tells them apart. Rounds of one step alternate, each told on stderr; the least counts. On
a CPU the time is that of the processor.
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

from ebgan.experiment import Experiment, Nets
from ebgan.experiment.building import build
from ebgan.nets.dcgan import ConvAutoencoder, ConvGenerator
from ebgan.recipes import find
from ebgan.records import Batch
from ebgan.training.step import train_step

SHAPE, NOISE, MARGIN, WEIGHT, RATE = (3, 64, 64), 100, 20.0, 0.1, 2e-4


def experiment_of(width: int, batch: int) -> Experiment:
    """The recipe with nets of another width."""
    encoder = f"({width})4c2s-({2 * width})4c2s-({4 * width})4c2s"
    nets = Nets(generator=ConvGenerator(width=width), discriminator=ConvAutoencoder(encoder=encoder))
    return replace(find("faces64.ebgan_pt").make(), nets=nets, batch=batch)


def generator_of(width: int) -> nn.Sequential:
    """Noise at a single place to an image."""
    maps = (8 * width, 4 * width, 2 * width, width)
    layers = [nn.ConvTranspose2d(NOISE, maps[0], 4, bias=False), nn.BatchNorm2d(maps[0]), nn.ReLU()]
    for inputs, outputs in pairwise(maps):
        layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False), nn.Tanh())


def encoder_of(width: int) -> nn.Sequential:
    """An image to its code [4 width, 8, 8]."""
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for inputs, outputs in pairwise((width, 2 * width, 4 * width)):
        layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)


def decoder_of(width: int) -> nn.Sequential:
    """A code to an image."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((4 * width, 2 * width, width)):
        layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, 3, 4, 2, 1), nn.Tanh())


def by_hand(width: int, batch: int, device: str) -> Callable[[], None]:
    """The step of a good user."""
    last = torch.channels_last
    generator = generator_of(width).to(device, memory_format=last)
    encoder, decoder = (make(width).to(device, memory_format=last) for make in (encoder_of, decoder_of))
    discriminator = nn.ModuleList([encoder, decoder])
    of_d, of_g = (
        torch.optim.Adam(net.parameters(), RATE, (0.5, 0.999), fused=True) for net in (discriminator, generator)
    )
    real = (torch.rand(batch, *SHAPE, device=device) * 2 - 1).to(memory_format=last)

    def read(images: Tensor) -> tuple[Tensor, Tensor]:
        code = encoder(images)
        return code.flatten(1), torch.linalg.vector_norm((decoder(code) - images).flatten(1), dim=1)

    def move(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()

    def step() -> None:
        with torch.no_grad():
            fake = generator(torch.randn(batch, NOISE, 1, 1, device=device))
        move(of_d, read(real)[1].mean() + (MARGIN - read(fake)[1]).relu().mean())
        discriminator.requires_grad_(False)
        code, energy = read(generator(torch.randn(batch, NOISE, 1, 1, device=device)))
        unit = functional.normalize(code)
        move(of_g, energy.mean() + WEIGHT * ((unit @ unit.T).square().sum() - batch) / (batch * (batch - 1)))
        discriminator.requires_grad_(True)

    return step


def ours(experiment: Experiment, device: str) -> Callable[[], None]:
    """`train_step` on a batch that is at hand."""
    game, state = build(experiment, SHAPE, device)
    batch = Batch(torch.rand(experiment.batch, *SHAPE, device=device) * 2 - 1)
    seen = 0

    def step() -> None:
        nonlocal state, seen
        state, _ = train_step(game, state, lambda: batch, seen=seen)
        seen += experiment.batch

    return step


def now(device: str) -> float:
    """Seconds of the processor, or of the clock when a device has done its work."""
    if device == "cpu":
        return time.process_time()
    torch.accelerator.synchronize()
    return time.perf_counter()


def main() -> None:
    """Print images a second and ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--no-bf16", dest="bf16", action="store_false", help="leave out bf16, slow where emulated")
    given = parser.parse_args()
    experiment, device = experiment_of(given.width, given.batch), given.device
    steps = {"by hand, fp32": by_hand(given.width, given.batch, device)}
    for precision in ("fp32", "bf16") if given.bf16 else ("fp32",):
        steps[f"ours, {precision}"] = ours(replace(experiment, precision=precision), device)
    least = dict.fromkeys(steps, float("inf"))
    for turn in range(given.rounds + 1):  # the first round, in which kernels are chosen, does not count
        for name, step in steps.items():
            begun = now(device)
            step()
            seconds = now(device) - begun
            least[name] = min(least[name], seconds) if turn else least[name]
            print(f"round {turn} of {given.rounds}: {name} {seconds:.3f} s", file=sys.stderr, flush=True)
    print(f"width {given.width}, batch {given.batch}, {device}, {torch.get_num_threads()} threads")
    for name, seconds in least.items():
        ratio = least["by hand, fp32"] / seconds
        print(f"{name:<14} {given.batch / seconds:8.1f} images/s {ratio:6.2f} x by hand", flush=True)


if __name__ == "__main__":
    main()
