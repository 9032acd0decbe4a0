"""Communication between ranks, the processes of data-parallel training.

Each rank computes on its own slice of every batch. Batch norm uses the statistics of the whole batch
(`mean_across_ranks`), objectives see the energies and codes of the whole batch (`gather_across_ranks`), and the ranks'
gradients, each through its own slice, are summed (`sum_across_ranks`). Hinges, the pulling-away term and the states of
objectives are therefore the same for any number of ranks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed

from ebgan.errors import WORKER_LOST, CheckpointError, EbganError, UsageError


class RankLostError(EbganError):
    """Another rank has ended or does not answer."""

    exit_code = WORKER_LOST


@dataclass(frozen=True)
class Rank:
    """The index of a process among those that train together, and their number."""

    index: int
    count: int


def rank() -> Rank:
    """The rank of this process; (0, 1) if it trains alone."""
    if distributed.is_available() and distributed.is_initialized():
        return Rank(distributed.get_rank(), distributed.get_world_size())
    return Rank(0, 1)


def default_device() -> torch.device:
    """The accelerator if there is one, else the CPU."""
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return accelerator or torch.device("cpu")


def usable_device(device: torch.device | str | None, option: str = "device=") -> torch.device:
    """The device with this name; for None the accelerator if there is one, else the CPU.

    Raises UsageError, beginning with `option` (the option that named the device), if it is not available.
    """
    if device is None:
        return default_device()
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError, TypeError) as error:
        raise UsageError(
            f"{option}{device}: not available: expected cpu, or cuda, cuda:1 or mps if this machine has one "
            f"({str(error).splitlines()[0]})"
        ) from error


def mean_across_ranks(local: Tensor) -> Tensor:
    """The mean of a tensor over all ranks; differentiable with respect to each rank's own tensor."""
    return local if rank().count == 1 else _Mean.apply(local)  # type: ignore[no-untyped-call]


def gather_across_ranks(local: Tensor, axis: int) -> Tensor:
    """The slices of all ranks concatenated along an axis; gradients flow only to this rank's slice."""
    here = rank()
    if here.count == 1:
        return local
    slices = [torch.empty_like(local) for _ in range(here.count)]
    with exchange():
        distributed.all_gather(slices, local.detach().contiguous())
    slices[here.index] = local
    return torch.cat(slices, axis)


def sum_across_ranks(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Each tensor summed over all ranks, with one flat all-reduce per dtype."""
    if rank().count == 1:
        return list(tensors)
    summed = list(tensors)
    for dtype in dict.fromkeys(tensor.dtype for tensor in tensors):  # in the same order on every rank
        indices = [index for index, tensor in enumerate(tensors) if tensor.dtype == dtype]
        flat = torch.cat([tensors[index].flatten() for index in indices])
        with exchange():
            distributed.all_reduce(flat)
        parts = torch.split(flat, [tensors[index].numel() for index in indices])
        for index, part in zip(indices, parts, strict=True):
            summed[index] = part.view_as(tensors[index])
    return summed


def largest_across_ranks(local: Tensor) -> Tensor:
    """The elementwise maximum of a tensor over all ranks."""
    largest = local.clone()
    if rank().count > 1:
        with exchange():
            distributed.all_reduce(largest, distributed.ReduceOp.MAX)
    return largest


def refuse_apart(value: float, device: torch.device, what: str) -> None:
    """Raise CheckpointError if a value that each rank read for itself differs between ranks; `what` names it."""
    if rank().count == 1:
        return
    most, least = largest_across_ranks(torch.tensor([value, -value], dtype=torch.float64, device=device)).tolist()
    if most != -least:
        raise CheckpointError(
            f"{what}: differs between the processes that train together, {-least:g} for one and {most:g} for another: "
            "put the run's folder on a disk that all machines share"
        )


@contextmanager
def exchange() -> Iterator[None]:
    """Turn torch's errors about lost connections into RankLostError."""
    try:
        yield
    except RuntimeError as error:
        raise lost(error) from error


def lost(error: RuntimeError) -> RankLostError:
    """A RankLostError for the user, made from torch's error about a lost connection."""
    line = str(error).splitlines()[0]
    reason = re.sub(r"^\[[^]]*\] |\. This is typically.*", "", line)  # drop torch's code location and advice
    return RankLostError(
        f"lost another of the processes that train together ({reason}). The same command goes on from the last "
        "checkpoint"
    )


class _Mean(torch.autograd.Function):
    """The mean over ranks. Its gradient is the mean of the ranks' gradients: each rank has its own slice's part."""

    @staticmethod
    def forward(_: Any, local: Tensor) -> Tensor:
        mean = local.clone(memory_format=torch.contiguous_format)
        with exchange():
            distributed.all_reduce(mean)
        return mean / rank().count

    @staticmethod
    def backward(_: Any, *gradients: Any) -> Tensor:
        return mean_across_ranks(gradients[0])
