"""Devices and ranks: the one module that knows Lightning Fabric.

Each rank reads its own slice of every batch. What the slices must agree on is shared here: batch norm takes the
statistics of the whole batch (`mean_across_ranks`), objectives see the energies and codes of the whole batch
(`gather_across_ranks`), and each rank's gradients, which flow through its own slice alone, are summed
(`sum_across_ranks`). Hinges, the pulling-away term and every moving state thus mean the same on one rank and on many.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed

from ebgan.errors import WORKER_LOST, CheckpointError, EbganError, UsageError, check_least

PATIENCE = 10.0  # seconds that a failing follower waits for its leader, who tells what went wrong


class RankLostError(EbganError):
    """Another of the processes that train together has ended."""

    exit_code = WORKER_LOST


@dataclass(frozen=True)
class Rank:
    """A process among those that train together."""

    index: int
    count: int


def rank() -> Rank:
    """The place of this process; (0, 1) where it trains alone."""
    if distributed.is_available() and distributed.is_initialized():
        return Rank(distributed.get_rank(), distributed.get_world_size())
    return Rank(0, 1)


def default_device() -> torch.device:
    """The accelerator if there is one, else the CPU."""
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return accelerator or torch.device("cpu")


def mean_across_ranks(local: Tensor) -> Tensor:
    """The mean of a tensor over all ranks, through which gradients flow back to each rank's own."""
    return local if rank().count == 1 else _Mean.apply(local)  # type: ignore[no-untyped-call]


def gather_across_ranks(local: Tensor, axis: int) -> Tensor:
    """The slices of all ranks side by side along an axis; gradients flow to this rank's slice alone."""
    here = rank()
    if here.count == 1:
        return local
    slices = [torch.empty_like(local) for _ in range(here.count)]
    with _exchange():
        distributed.all_gather(slices, local.detach().contiguous())
    slices[here.index] = local
    return torch.cat(slices, axis)


def sum_across_ranks(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Each tensor summed over all ranks, in one flat exchange a dtype."""
    if rank().count == 1:
        return list(tensors)
    summed = list(tensors)
    for dtype in dict.fromkeys(tensor.dtype for tensor in tensors):  # in the same order on every rank
        places = [place for place, tensor in enumerate(tensors) if tensor.dtype == dtype]
        flat = torch.cat([tensors[place].flatten() for place in places])
        with _exchange():
            distributed.all_reduce(flat)
        parts = torch.split(flat, [tensors[place].numel() for place in places])
        for place, part in zip(places, parts, strict=True):
            summed[place] = part.view_as(tensors[place])
    return summed


def largest_across_ranks(local: Tensor) -> Tensor:
    """The largest value of a tensor on any rank, elementwise."""
    largest = local.clone()
    if rank().count > 1:
        with _exchange():
            distributed.all_reduce(largest, distributed.ReduceOp.MAX)
    return largest


def refuse_apart(value: float, device: torch.device, what: str) -> None:
    """Raise CheckpointError where a value, which each rank read for itself, is not the same on all."""
    if rank().count == 1:
        return
    most, least = largest_across_ranks(torch.tensor([value, -value], dtype=torch.float64, device=device)).tolist()
    if most != -least:
        raise CheckpointError(
            f"{what}: not the same for all processes that train together, {-least:g} for one and {most:g} for another. "
            "The run's folder must be one that all machines see"
        )


@contextmanager
def ranks(device: torch.device, devices: int = 1) -> Iterator[torch.device]:
    """Start the other processes, if more than one device is asked for, and give this one its device.

    Under torchrun or srun the processes are there already and only meet. A lost rank ends the others, and errors are
    left for the first rank to tell; after one that all ranks meet by agreement (`agreed`) they leave together. Raises
    UsageError for tasks of SLURM that do not say how many are on a machine.
    """
    check_least("", 1, devices=devices)
    if devices == 1 and _launched() < 2:
        yield device
        return
    from lightning_fabric import Fabric

    here = _local_count() or devices
    if "WORLD_SIZE" not in os.environ and _launched() > 1 and "SLURM_STEP_ID" not in os.environ:
        raise UsageError(
            f"SLURM holds {_launched()} tasks ready, and this process, which it did not start as one of them, would "
            "wait for the others: start it by srun, or ask sbatch for a single task"
        )
    if "WORLD_SIZE" not in os.environ and _launched() > 0 and not _local_count():
        raise UsageError(
            f"SLURM started {_launched()} tasks and does not say how many on each machine: give srun or sbatch "
            "--ntasks-per-node in place of --ntasks"
        )
    nodes = max(1, _launched() // here)
    fabric: Any = Fabric(accelerator=device.type, devices=here, num_nodes=nodes, strategy="ddp")
    fabric.launch()
    parent = os.getppid()
    follows = rank().index > 0
    if follows:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    try:
        yield fabric.device
    except EbganError as error:
        if error.agreed:
            with suppress(RankLostError):
                _close()  # the others wait while the first one saves
        if follows and _outlived(parent):
            raise SystemExit(error.exit_code) from error
        raise
    _close()  # not after an error: the others would wait for a rank that never comes


def _launched() -> int:
    """How many processes torchrun or srun has started in all, 0 for none."""
    return int(os.environ.get("WORLD_SIZE") or _slurm("SLURM_NTASKS"))


def _local_count() -> int:
    """How many of them are on this machine, 0 if that is not told."""
    return int(os.environ.get("LOCAL_WORLD_SIZE") or _slurm("SLURM_NTASKS_PER_NODE"))


def _slurm(name: str) -> str:
    """What SLURM says; in a shell that it gave (salloc, srun --pty bash) one process is started by hand."""
    by_hand = os.environ.get("SLURM_JOB_NAME") in ("bash", "interactive")
    return "0" if by_hand else os.environ.get(name, "0")


def _follow(parent: int) -> None:
    """End this process with the one that started it: a collective on a GPU would wait for a lost rank for half an hour.

    Whoever has something to tell has `PATIENCE` for it.
    """
    while os.getppid() == parent:
        time.sleep(0.5)
    time.sleep(PATIENCE)
    os._exit(WORKER_LOST)


def _outlived(parent: int) -> bool:
    """Whether the leader, which started this process, has ended or soon does: it met the same error, or failed itself.

    It is waited for, because Fabric kills a leader that lives on when a follower has failed.
    """
    until = time.monotonic() + PATIENCE
    while os.getppid() == parent and time.monotonic() < until:
        time.sleep(0.05)
    return os.getppid() != parent


@contextmanager
def _exchange() -> Iterator[None]:
    """Tell a lost connection for what it is."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise RankLostError(
            f"lost another of the processes that train together ({reason}). The same command goes on from the last "
            "checkpoint"
        ) from error


def _close() -> None:
    """Leave together: gloo at times aborts a process that leaves while others still talk."""
    with _exchange():
        distributed.barrier()
    gc.collect()
    distributed.destroy_process_group()


class _Mean(torch.autograd.Function):
    """The mean over ranks; its gradient is the mean of the ranks' gradients, since each sees its own slice's part."""

    @staticmethod
    def forward(_: Any, local: Tensor) -> Tensor:
        mean = local.clone(memory_format=torch.contiguous_format)
        with _exchange():
            distributed.all_reduce(mean)
        return mean / rank().count

    @staticmethod
    def backward(_: Any, *gradients: Any) -> Tensor:
        return mean_across_ranks(gradients[0])
