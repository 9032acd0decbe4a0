"""What a sweep costs beside the training of its trials: the time of trials that do nothing.

    python benchmarks/sweep_overhead.py [--trials 1000] [--workers 2]

A sweep of trials that end at once is run as `ebgan sweep` runs it, with plan, worker processes, Dask and the store of
results, once of a hundred trials and once of many. Their difference is what each trial more costs, and the rest what
every sweep costs: starting the workers.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ebgan.experiment import Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.sweeps import Grid, Result, sweep

FEW = 100


def nothing(experiments: Sequence[Experiment], _device: str) -> list[Result]:
    """A result of each experiment, none of which is trained."""
    return [Result("done", score=0.0, metrics={"i_prime": 0.0}, picture=b"0" * 2000) for _ in experiments]


def passed(trials: int, workers: int, width: int) -> tuple[float, float]:
    """The seconds, and those of this process's processor, of a sweep of so many trials."""
    nets = Nets(generator=MLPGenerator(depth=2, width=width), discriminator=MLPAutoencoder(width=width))
    grid = Grid(base=Experiment(nets=nets), axes={"seed": tuple(range(trials))})
    with tempfile.TemporaryDirectory() as out:
        begun, worked = time.perf_counter(), os.times()
        assert sweep(grid, Path(out), workers=workers, runner=nothing) == []
        ended = os.times()
    return time.perf_counter() - begun, ended.user + ended.system - worked.user - worked.system


def main() -> None:
    """Print both costs for trials that go one by one and for trials in stacks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    for title, width in (("one by one", 800), ("in stacks", 16)):
        few, many = (passed(count, given.workers, width) for count in (FEW, given.trials))
        each, own = ((more - less) / (given.trials - FEW) for more, less in zip(many, few, strict=True))
        print(f"{title:<11} {1e3 * each:6.1f} ms a trial, {1e3 * own:.1f} of them the driver's processor", end="")
        print(f"; {few[0] - FEW * each:.1f} s a sweep")


if __name__ == "__main__":
    main()
