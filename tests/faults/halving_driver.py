"""A sweep of 9 trials that train nothing, in rungs of 9 and 3; its driver may be killed between the two.

python halving_driver.py OUT [killed]
"""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from distributed import Client

from ebgan.experiment import Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.sweeps import Grid, Halving, Result, SweepStore, sweep
from ebgan.sweeps import run as driving

NETS = Nets(generator=MLPGenerator(depth=2, width=8, noise=4), discriminator=MLPAutoencoder(width=8))
GRID = Grid(base=Experiment(nets=NETS), axes={"seed": tuple(range(9))})


def stub(folder: str, experiments: Sequence[Experiment], device: str) -> list[Result]:
    """Results without training; each trial that was trained leaves a file, which it may do once."""
    for made in experiments:
        Path(folder, f"{made.seed}-{made.images}.trained").touch(exist_ok=False)
    return [Result("done", float(made.seed % 5)) for made in experiments]


@contextmanager
def in_a_thread(*_: object) -> Iterator[Client]:
    """A worker that is a thread of the driver, and begins at once."""
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None) as client:
        yield client


def killed(*_: object) -> None:
    """What a driver comes to that is killed before it notes its second rung."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    driving.connected = in_a_thread
    if sys.argv[2:]:
        SweepStore.add = killed
    sys.exit(len(sweep(GRID, sys.argv[1], runner=partial(stub, sys.argv[1]), halving=Halving(eta=3, rungs=2))))
