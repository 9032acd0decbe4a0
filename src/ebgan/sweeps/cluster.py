"""The workers of a sweep: single-threaded processes on this machine, SLURM jobs, or a Dask cluster."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ebgan.errors import UsageError
from ebgan.experiment.precision import multiplies_bf16

if TYPE_CHECKING:
    from distributed import Client

ANSWER = 10.0  # seconds to wait for a scheduler's answer
FIRST_ANSWER = 60.0  # the same for a worker, which imports torch first
LOSSES = 2  # workers that a task may lose before it counts as failed
RESTART = "1h"  # time for a worker to come back; by default Dask gives it up after 15 s
ALLOCATOR = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_")
HELD = 1 << 28  # bytes that malloc keeps for reuse; with Dask's 64 KiB, half of the time goes into page faults
SILENT = 50  # a logging level above all others: the driver reports the errors of tasks

logger = logging.getLogger(__name__)


def sharing(workers: int, scheduler: str | None = None, slurm: bool = False) -> int:
    """The number of workers that share a device: all on this machine; elsewhere each has its own."""
    return 1 if scheduler or slurm else workers


@contextmanager
def connected(workers: int, scheduler: str | None = None, slurm: bool = False) -> Iterator[Client]:
    """A Dask client, with workers that start and end with it, or of the scheduler at an address.

    Raises UsageError if no scheduler answers there, or dask-jobqueue is missing for SLURM.
    """
    import dask
    from distributed import Client

    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(SILENT)
    settings = {
        "distributed.scheduler.allowed-failures": LOSSES,
        "distributed.deploy.lost-worker-timeout": RESTART,
        **{f"distributed.nanny.pre-spawn-environ.{name}": HELD for name in ALLOCATOR},
    }
    with dask.config.set(settings):
        if scheduler:
            try:
                client = Client(scheduler, timeout=ANSWER)
            except (OSError, ValueError) as error:
                raise UsageError(f"--scheduler {scheduler}: no Dask scheduler answers there: {error}") from error
            except TypeError as error:
                raise UsageError(
                    f"--scheduler {scheduler}: needs certificates: set ca-file, and cert and key of the client, below "
                    "distributed.comm.tls in Dask's configuration"
                ) from error
            with client:
                yield client
        elif slurm:
            with _slurm(workers) as client:
                yield client
        else:
            with _local(workers) as client:
                yield client


def workers_multiply_bf16(client: Client, device: str) -> bool:
    """Ask a worker whether its device multiplies bf16; False, with a warning, if none answers in time."""
    if client.scheduler_info(n_workers=-1)["workers"]:
        with suppress(TimeoutError):
            return bool(client.submit(multiplies_bf16, device, pure=False).result(timeout=FIRST_ANSWER))
    logger.warning(
        "no worker has joined yet, so it is unknown whether workers multiply bf16: the sweep computes in fp32, which "
        "works everywhere. For bf16, give --precision bf16"
    )
    return False


@contextmanager
def _local(workers: int) -> Iterator[Client]:
    from distributed import Client, LocalCluster

    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        memory_limit=0,  # Dask would pause workers that use much memory, which would look like a hang
        dashboard_address="127.0.0.1:0",  # any free port
        silence_logs=SILENT,
        preload=["ebgan.sweeps.worker"],
    )
    client = Client(cluster)
    try:
        yield client
    finally:
        for nanny in cluster.workers.values():  # the results of running tasks are not needed
            nanny.auto_restart = False
            if nanny.pid is not None:
                os.kill(nanny.pid, signal.SIGKILL)
        client.close()
        cluster.close()


@contextmanager
def _slurm(workers: int) -> Iterator[Client]:
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise UsageError("--slurm: needs dask-jobqueue: pip install 'ebgan[slurm]'") from error
    from distributed import Client

    try:
        cluster = SLURMCluster()
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"--slurm: {error}: set cores, memory, queue and time of a job in ~/.config/dask/jobqueue.yaml "
            "(see the documentation of dask-jobqueue)"
        ) from error
    with cluster, Client(cluster) as client:
        cluster.scale(jobs=workers)
        yield client
