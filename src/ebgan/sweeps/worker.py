"""The code that runs in a worker process.

On this machine, a worker first imports everything that a trial needs, and ignores signals, which the driver handles.
Trials with the user's own classes are sent as text, with the paths of the files that define the classes.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ebgan.experiment import Experiment, parse_experiment
from ebgan.sweeps.training import Result  # this also imports everything that the first trial needs
from ebgan.user_code import load_files


def dask_setup(worker: object) -> None:  # noqa: ARG001 - the name and argument that Dask looks for
    """Called by Dask in the new process."""
    for each in (signal.SIGINT, signal.SIGHUP):  # a terminal sends these to all of its processes
        signal.signal(each, signal.SIG_IGN)
    torch.set_num_threads(1)


def run_from_text(
    runner: Callable[[Sequence[Experiment], str], list[Result]],
    texts: Sequence[str],
    files: Sequence[Path],
    device: str,
) -> list[Result]:
    """Train the experiments of these configs, with the classes of these files, which must exist on this machine.

    Raises UsageError for a file that cannot be loaded.
    """
    load_files(files)
    return runner([parse_experiment(text, "the config of a trial") for text in texts], device)
