"""Start the ranks and end them together. Only this module uses Lightning Fabric.

The first process (the leader) writes the run folder and reports errors to the user; the others are followers.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from ebgan.distributed.alone import TIMEOUT, prepare
from ebgan.distributed.exchange import RankLostError, exchange, lost
from ebgan.errors import WORKER_LOST, EbganError, UsageError, check_least

PATIENCE = 10.0  # seconds that a failing follower waits for its leader, which reports the error
ENDING = 60.0  # seconds that the leader has to save and exit after a follower has failed
LONGEST = 100_000.0  # longest timeout in minutes

Followers = list[subprocess.Popen[bytes]]  # started by this process


@contextmanager
def ranks(device: torch.device, devices: int = 1, timeout: float = TIMEOUT) -> Iterator[torch.device]:
    """Start the other processes if `devices` is above 1, connect all, and yield this process's device.

    Under torchrun or srun the processes already run and only connect. If a rank is lost or does not answer for
    `timeout` minutes, the others end. The first rank reports errors; after an error that all ranks raise together
    (`agreed`) they close the connection together. Raises UsageError for a timeout out of range, and for SLURM tasks if
    their number per machine is unknown.
    """
    check_least("", 1, devices=devices)
    if not 0 < timeout <= LONGEST:
        raise UsageError(f"timeout={timeout:g}: expected minutes, more than 0 and at most {LONGEST:,.0f}")
    if devices == 1 and _launched() < 2:
        yield device
        return
    _refuse_uncounted_tasks()
    parent, follows = os.getppid(), int(os.environ.get("RANK") or _slurm("SLURM_PROCID")) > 0
    if follows:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    followers = [] if _launched() else _start(devices)
    try:
        fabric = _meet(device, devices, timeout)
        yield fabric.device
    except EbganError as error:
        if error.agreed:
            with suppress(RankLostError):
                _close()  # the others wait while the first one saves
        elif isinstance(error, RankLostError):
            _wake(followers, parent)
        if follows and _outlived(parent):
            raise SystemExit(error.exit_code) from error
        raise
    _close()  # not after an error: it would wait for a rank that never arrives


def _start(devices: int) -> Followers:
    """Start this command again for each further device, with its rank in the environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(devices), "NODE_RANK": "0"}
    os.environ.update(shared | {"RANK": "0", "LOCAL_RANK": "0"})
    spec = sys.modules["__main__"].__spec__
    program = [str(Path(sys.argv[0]).absolute())] if spec is None else ["-m", spec.name]
    command = [sys.executable, *program, *sys.argv[1:]]
    own = ({"RANK": str(index), "LOCAL_RANK": str(index)} for index in range(1, devices))
    followers = [subprocess.Popen(command, env=os.environ | variables) for variables in own]
    threading.Thread(target=_watch, args=(followers,), daemon=True).start()
    return followers


def _meet(device: torch.device, devices: int, timeout: float) -> Any:
    """Connect to the other processes. Raises RankLostError if one of them does not connect."""
    from lightning_fabric import Fabric
    from lightning_fabric.strategies import DDPStrategy

    here = _local_count() or devices
    nodes = max(1, _launched() // here)
    strategy = DDPStrategy(timeout=timedelta(minutes=timeout))
    fabric = Fabric(accelerator=device.type, devices=here, num_nodes=nodes, strategy=strategy)
    try:
        fabric.launch()
        prepare(timeout)
    except distributed.DistError as error:
        raise lost(error) from error
    return fabric


def _refuse_uncounted_tasks() -> None:
    """Raise UsageError if SLURM's variables do not tell how the tasks are spread over machines."""
    if "WORLD_SIZE" in os.environ or _launched() == 0:
        return
    if _launched() > 1 and "SLURM_STEP_ID" not in os.environ:
        raise UsageError(
            f"the SLURM job has {_launched()} tasks, but this process was not started by srun and would wait for the "
            "others: start it by srun, or give sbatch a single task"
        )
    if not _local_count():
        raise UsageError(
            f"SLURM started {_launched()} tasks, and their number per machine is unknown: give srun or sbatch "
            "--ntasks-per-node instead of --ntasks"
        )


def _launched() -> int:
    """The number of processes that torchrun or srun started in all; 0 if neither did."""
    return int(os.environ.get("WORLD_SIZE") or _slurm("SLURM_NTASKS"))


def _local_count() -> int:
    """The number of these processes on this machine; 0 if unknown."""
    return int(os.environ.get("LOCAL_WORLD_SIZE") or _slurm("SLURM_NTASKS_PER_NODE"))


def _slurm(name: str) -> str:
    """A SLURM variable; "0" in an interactive shell (salloc, srun --pty bash), where SLURM starts no ranks."""
    by_hand = os.environ.get("SLURM_JOB_NAME") in ("bash", "interactive")
    return "0" if by_hand else os.environ.get(name, "0")


def _follow(parent: int) -> None:
    """End this process after its parent has ended: a collective operation on a GPU would wait for the whole timeout.

    `PATIENCE` leaves time to report an error first.
    """
    while os.getppid() == parent:
        time.sleep(0.5)
    time.sleep(PATIENCE)
    os._exit(WORKER_LOST)


def _watch(followers: Followers) -> None:
    """End this process if a follower failed and it does not end by itself, as in a collective operation on a GPU."""
    while not any(follower.poll() for follower in followers):
        time.sleep(0.5)
    time.sleep(ENDING)
    for follower in followers:
        follower.kill()
    os._exit(WORKER_LOST)


def _outlived(parent: int) -> bool:
    """Wait up to `PATIENCE` seconds for the leader to end, and return whether it did."""
    until = time.monotonic() + PATIENCE
    while os.getppid() == parent and time.monotonic() < until:
        time.sleep(0.05)
    return os.getppid() != parent


def _wake(followers: Followers, parent: int) -> None:
    """Continue stopped processes on this machine, so that they notice the lost connection and end too."""
    for pid in [follower.pid for follower in followers] or [parent]:
        with suppress(OSError):
            os.kill(pid, signal.SIGCONT)


def _close() -> None:
    """Close the connection together: gloo sometimes aborts a process that leaves while others still communicate."""
    with exchange():
        distributed.barrier()
    gc.collect()
    distributed.destroy_process_group()
