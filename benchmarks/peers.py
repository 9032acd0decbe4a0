"""Packages of others beside ours on the same work, each in an environment of its own.

    python -m venv PEERS && PEERS/bin/pip install -c constraints.txt particlegan
    python benchmarks/peers.py --python PEERS/bin/python [--seeds 3] [--steps 20000] [--rival ebgan_pt] [--threads 1]

particlegan   (0.9) 100 Gaussians of sigma 0.03 on a grid of 10 x 10, batches of 2,048 points, a generator of three
              hidden layers of 128 units: modes covered, and the share of samples within 3 sigma. Its README gives 100
              modes and 42.1 % after 20,000 updates. Ours are the nets of `toy.grid` on the same points.
ebmkit        (0.16) is left out: it trains by Langevin chains, without a generator, and its README gives no number.
pyod          (3.6) is left out: its README gives no number for its auto-encoder.

Peer and ours alternate, one run a seed each; seconds are those of the processor for the updates alone, without imports.
A ratio is printed only if the peer has met its published number within 10 %; else it was not run as its authors run it.
Where it took other `--steps` than theirs that cannot be known. On one thread of an AMD EPYC an update of particlegan
takes half a second, so that three seeds of 20,000 take nine hours.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

SIDE, SIGMA, BATCH, SAMPLES, WIDTH = 10, 0.03, 2048, 20_000, 128
FEWEST = 10  # samples within 3 sigma that make a mode a covered one
STEPS, MODES, QUALITY, TOLERANCE = 20_000, 100, 0.421, 0.1  # as published by particlegan's README


@dataclass(frozen=True)
class Found:
    """What came of a run."""

    modes: int
    quality: float  # share of samples within 3 sigma of a mode
    seconds: float  # of the processor, for all updates


def centres() -> Tensor:
    """The modes [100, 2]."""
    along = torch.arange(SIDE) - (SIDE - 1) / 2
    return torch.cartesian_prod(along, along)


def judge(samples: Tensor, seconds: float) -> Found:
    """Modes and quality of samples [N, 2]."""
    distance, mode = torch.cdist(samples, centres()).min(1)
    near = distance <= 3 * SIGMA
    counts = torch.bincount(mode[near], minlength=SIDE**2)
    return Found(int((counts >= FEWEST).sum()), float(near.float().mean()), seconds)


class Critic(nn.Module):
    """The discriminator of particlegan's example: sines and cosines of the point, and three hidden layers."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.pi * 2.0 ** torch.arange(2))
        self.layers = hidden(2 + 2 * 2 * 2, 1)

    def forward(self, points: Tensor) -> Tensor:
        """Scores [N] of points [N, 2]."""
        angles = points.unsqueeze(-1) * self.get_buffer("frequencies")
        scores: Tensor = self.layers(torch.cat((points, angles.sin().flatten(1), angles.cos().flatten(1)), 1))
        return scores.squeeze(-1)


def hidden(inputs: int, outputs: int) -> nn.Sequential:
    """Three hidden layers."""
    layers: list[nn.Module] = []
    for size in (inputs, WIDTH, WIDTH):
        layers += [nn.Linear(size, WIDTH), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(WIDTH, outputs))


def particlegan(seed: int, steps: int) -> Found:
    """Its default recipe by its own trainer, as its README shows; for the environment in which it is installed."""
    from particlegan import GANTrainer, get_recipe, init

    recipe = get_recipe(total_steps=steps, batch_size=BATCH)
    generator, critic = hidden(recipe.z_dim, 2), Critic()
    init.deterministic_orthogonal_(generator, seed=0)
    init.deterministic_orthogonal_(critic, seed=1)
    prior = init.deterministic_orthogonal_(recipe.make_prior())
    trainer = GANTrainer(recipe, generator, critic, prior=prior, seed=seed)
    places, drawn = centres(), torch.Generator().manual_seed(seed)
    begun = time.process_time()
    for _ in range(steps):
        mode = torch.randint(len(places), (BATCH,), generator=drawn)
        trainer.step(places[mode] + SIGMA * torch.randn(BATCH, 2, generator=drawn))
    seconds = time.process_time() - begun
    return judge(trainer.sample(SAMPLES).detach(), seconds)


def ours(seed: int, steps: int, rival: str) -> Found:
    """One of our objectives with the nets of `toy.grid`, whose length scales are those of a grid half as wide."""
    from ebgan.data.toy import TOYS, Mixture
    from ebgan.experiment import Data
    from ebgan.recipes.methods import METHODS, enter
    from ebgan.recipes.toys import stage
    from ebgan.runs.trainer import train
    from ebgan.schedules import Linear

    TOYS["toy.grid100"] = Mixture(places=tuple(map(tuple, centres().tolist())), sigma=SIGMA)
    images, grid = steps * BATCH, stage("grid")
    scene = replace(
        grid,
        data=Data(source="toy.grid100", limits=None),
        margin=grid.margin / 2,
        images=images,
        batch=BATCH,
        decay=Linear(start=1.0, end=0.02, begin=images // 2, finish=images),
        evaluation=replace(grid.evaluation, every=images, pictures=images),
    )
    experiment = replace(enter(METHODS[rival], scene), seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.process_time()
        run = train(experiment, Path(folder, "run"), device="cpu")
        seconds = time.process_time() - begun
        return judge(run.sample(SAMPLES).flatten(1), seconds)


def alone(python: str, *words: str) -> Found:
    """What a run in a process of its own finds. Raises SystemExit with what it said where it fails."""
    ended = subprocess.run([python, __file__, *words], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{python}: {' '.join(words)}: ended with {ended.returncode}:\n{ended.stderr[-2000:]}")
    return Found(**json.loads(ended.stdout.splitlines()[-1]))


def told(values: list[float], form: str) -> str:
    """Mean and standard deviation."""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):{form}} +- {spread:{form}}"


def row(name: str, found: list[Found]) -> str:
    """A line of the table."""
    numbers = (told([each.modes for each in found], ".1f"), told([each.quality for each in found], ".1%"))
    return f"| {name} | {' | '.join(numbers)} | {told([each.seconds for each in found], '.1f')} |"


def main() -> None:
    """Print a table, and ratios where the published number is met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", help="of the environment with particlegan")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--rival", default="ebgan_pt", help="which of our objectives: a recipe toy.grid.RIVAL")
    parser.add_argument("--threads", type=int, help="OMP_NUM_THREADS; by default as the machine has it")
    parser.add_argument("--alone", choices=("particlegan", "ours"), help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        peer = given.alone == "particlegan"
        found = particlegan(given.seed, given.steps) if peer else ours(given.seed, given.steps, given.rival)
        print(json.dumps(asdict(found)))
        return
    if not given.python:
        parser.error("--python: which python has particlegan? See the beginning of this file")
    if given.threads:
        os.environ["OMP_NUM_THREADS"] = str(given.threads)
    theirs, mine = [], []
    for seed in range(given.seeds):
        words = ("--seed", str(seed), "--steps", str(given.steps))
        theirs.append(alone(given.python, "--alone", "particlegan", *words))
        print(f"seed {seed}: particlegan {theirs[-1]}", file=sys.stderr, flush=True)
        mine.append(alone(sys.executable, "--alone", "ours", "--rival", given.rival, *words))
        print(f"seed {seed}: ours {mine[-1]}", file=sys.stderr, flush=True)
    report(theirs, mine, given)


def report(theirs: list[Found], mine: list[Found], given: argparse.Namespace) -> None:
    """Print what was found, ours only beside a peer that has met its own number."""
    print(f"100 Gaussians, {given.steps:,} updates of {BATCH:,} points\n")
    print("| | modes | within 3 sigma | processor, s |\n|---|---|---|---|")
    print(row("particlegan", theirs))
    modes, quality = (statistics.fmean(getattr(each, name) for each in theirs) for name in ("modes", "quality"))
    near = abs(modes - MODES) <= TOLERANCE * MODES and abs(quality - QUALITY) <= TOLERANCE * QUALITY
    if given.steps != STEPS or not near:
        why = f"{modes:.1f} modes and {quality:.1%} after {given.steps:,} updates"
        print(f"\nnot met: {why}, where {MODES} and {QUALITY:.1%} after {STEPS:,} are published. No ratio.")
        return
    print(row(f"ours, {given.rival}", mine))
    ratios = [one.seconds / other.seconds for one, other in zip(mine, theirs, strict=True)]
    print(f"\nours takes {told(ratios, '.2f')} of its processor time ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
