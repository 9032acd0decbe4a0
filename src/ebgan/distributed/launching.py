"""Starting the processes that train together, and ending them together: the one module that knows Lightning Fabric.

The first process, the leader, writes the run folder and tells the user what went wrong; the others are followers.
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
ENDING = 60.0  # seconds that a leader has, once a follower has failed, to write what it still can
LONGEST = 100_000.0  # minutes

Followers = list[subprocess.Popen[bytes]]  # those that this process started


@contextmanager
def ranks(device: torch.device, devices: int = 1, timeout: float = TIMEOUT) -> Iterator[torch.device]:
    """Start the other processes, if more than one device is asked for, and give this one its device.

    Under torchrun or srun the processes run already and only connect. A rank that is lost, or gives no sign of life for
    `timeout` minutes, ends the others. The first rank reports errors; after an error that all ranks raise together
    (`agreed`) they close the connection together. Raises UsageError for a timeout that is not above 0, and for
    SLURM tasks if SLURM does not say how many run on each machine.
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
    _close()  # not after an error: the others would wait for a rank that never comes


def _start(devices: int) -> Followers:
    """Start this command once more for each further device, and give each process its rank."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(devices), "NODE_RANK": "0"}
    os.environ.update(place | {"RANK": "0", "LOCAL_RANK": "0"})
    spec = sys.modules["__main__"].__spec__
    program = [str(Path(sys.argv[0]).absolute())] if spec is None else ["-m", spec.name]
    command = [sys.executable, *program, *sys.argv[1:]]
    places = ({"RANK": str(index), "LOCAL_RANK": str(index)} for index in range(1, devices))
    followers = [subprocess.Popen(command, env=os.environ | place) for place in places]
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
    if "WORLD_SIZE" in os.environ or _launched() == 0:
        return
    if _launched() > 1 and "SLURM_STEP_ID" not in os.environ:
        raise UsageError(
            f"SLURM holds {_launched()} tasks ready, and this process, which it did not start as one of them, would "
            "wait for the others: start it by srun, or ask sbatch for a single task"
        )
    if not _local_count():
        raise UsageError(
            f"SLURM started {_launched()} tasks and does not say how many on each machine: give srun or sbatch "
            "--ntasks-per-node in place of --ntasks"
        )


def _launched() -> int:
    """How many processes torchrun or srun has started in all, 0 for none."""
    return int(os.environ.get("WORLD_SIZE") or _slurm("SLURM_NTASKS"))


def _local_count() -> int:
    """How many of them are on this machine, 0 if that is not known."""
    return int(os.environ.get("LOCAL_WORLD_SIZE") or _slurm("SLURM_NTASKS_PER_NODE"))


def _slurm(name: str) -> str:
    """A variable of SLURM's; "0" in an interactive shell (salloc, srun --pty bash), where the user starts processes."""
    by_hand = os.environ.get("SLURM_JOB_NAME") in ("bash", "interactive")
    return "0" if by_hand else os.environ.get(name, "0")


def _follow(parent: int) -> None:
    """End this process when its parent has ended: a collective on a GPU would wait for the whole timeout.

    `PATIENCE` leaves time to report an error first.
    """
    while os.getppid() == parent:
        time.sleep(0.5)
    time.sleep(PATIENCE)
    os._exit(WORKER_LOST)


def _watch(followers: Followers) -> None:
    """End this process if a follower failed and it does not end by itself: a collective on a GPU may not notice."""
    while not any(follower.poll() for follower in followers):
        time.sleep(0.5)
    time.sleep(ENDING)
    for follower in followers:
        follower.kill()
    os._exit(WORKER_LOST)


def _outlived(parent: int) -> bool:
    """Wait up to `PATIENCE` for the leader to end, because of the same error or another one. Whether it did."""
    until = time.monotonic() + PATIENCE
    while os.getppid() == parent and time.monotonic() < until:
        time.sleep(0.05)
    return os.getppid() != parent


def _wake(followers: Followers, parent: int) -> None:
    """Let stopped processes on this machine continue: they notice that this one is gone, and end too."""
    for pid in [follower.pid for follower in followers] or [parent]:
        with suppress(OSError):
            os.kill(pid, signal.SIGCONT)


def _close() -> None:
    """Close the connection together: gloo sometimes aborts a process that leaves while others still communicate."""
    with exchange():
        distributed.barrier()
    gc.collect()
    distributed.destroy_process_group()
