"""What a worker process on this machine does first: import all that a trial needs, and leave signals to the driver."""

from __future__ import annotations

import signal

import torch

import ebgan.sweeps.training as _training  # noqa: F401 - imported once, before the first trial


def dask_setup(worker: object) -> None:  # noqa: ARG001 - the name and argument that Dask looks for
    """Called by Dask in the new process."""
    for each in (signal.SIGINT, signal.SIGHUP):  # which a terminal sends to all of its processes
        signal.signal(each, signal.SIG_IGN)
    torch.set_num_threads(1)
