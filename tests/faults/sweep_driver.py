"""A sweep of 400 trials that train nothing: each worker leaves its process id, so that harm can be done to it."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ebgan.experiment import Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.sweeps import Grid, Result, plan, sweep

NETS = Nets(generator=MLPGenerator(depth=2, width=8, noise=4), discriminator=MLPAutoencoder(width=8))
GRID = Grid(base=Experiment(nets=NETS), axes={"seed": tuple(range(200)), "batch": (8, 16)})


def score(experiment: Experiment) -> float:
    """What stands in the row of a trial."""
    return 1000.0 * experiment.batch + experiment.seed


def stub(folder: str, experiments: Sequence[Experiment], device: str) -> list[Result]:
    """Results without training."""
    (Path(folder) / f"{os.getpid()}.worker").touch()
    time.sleep(0.02)
    return [Result("done", score(experiment), picture=os.urandom(64)) for experiment in experiments]


def fatal(experiments: Sequence[Experiment], device: str) -> list[Result]:
    """The end of the worker, by a net of 9 units with seed 1."""
    if any((each.seed, each.nets.generator.width) == (1, 9) for each in experiments):  # type: ignore[attr-defined]
        os.kill(os.getpid(), signal.SIGKILL)
    return [Result("done", score(experiment)) for experiment in experiments]


if __name__ == "__main__":
    plan.CPU_MEMORY = 300_000  # so small that a task has a few trials
    sys.exit(len(sweep(GRID, sys.argv[1], workers=2, runner=partial(stub, sys.argv[1]))))
