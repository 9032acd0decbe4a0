"""What the ranks (processes that train together) exchange.

Each rank reads its own slice of every batch. What the slices must agree on is shared here: batch norm takes the
statistics of the whole batch (`mean_across_ranks`), objectives see the energies and codes of the whole batch
(`gather_across_ranks`), and each rank's gradients, which flow through its own slice alone, are summed
(`sum_across_ranks`). Hinges, the pulling-away term and every moving state thus mean the same on one rank and on many.
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
    """Another of the processes that train together has ended, or was stopped."""

    exit_code = WORKER_LOST


@dataclass(frozen=True)
class Rank:
    """A process among those that train together."""

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
    """The device of a name, or the accelerator if there is one, else the CPU.

    Raises UsageError, which begins with the option that named it, for a device that is not here.
    """
    if device is None:
        return default_device()
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError, TypeError) as error:
        raise UsageError(
            f"{option}{device}: not available here: expected cpu, or cuda, cuda:1, mps... where there is one "
            f"({str(error).splitlines()[0]})"
        ) from error


def mean_across_ranks(local: Tensor) -> Tensor:
    """The mean of a tensor over all ranks, through which gradients flow back to each rank's own."""
    return local if rank().count == 1 else _Mean.apply(local)  # type: ignore[no-untyped-call]


def gather_across_ranks(local: Tensor, axis: int) -> Tensor:
    """The slices of all ranks side by side along an axis; gradients flow to this rank's slice alone."""
    here = rank()
    if here.count == 1:
        return local
    slices = [torch.empty_like(local) for _ in range(here.count)]
    with exchange():
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
        with exchange():
            distributed.all_reduce(flat)
        parts = torch.split(flat, [tensors[place].numel() for place in places])
        for place, part in zip(places, parts, strict=True):
            summed[place] = part.view_as(tensors[place])
    return summed


def largest_across_ranks(local: Tensor) -> Tensor:
    """The largest value of a tensor on any rank, elementwise."""
    largest = local.clone()
    if rank().count > 1:
        with exchange():
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
def exchange() -> Iterator[None]:
    """Raise RankLostError where the connection to another process is lost."""
    try:
        yield
    except RuntimeError as error:
        raise lost(error) from error


def lost(error: RuntimeError) -> RankLostError:
    """The user's error for torch's error about a lost connection."""
    line = str(error).splitlines()[0]
    reason = re.sub(r"^\[[^]]*\] |\. This is typically.*", "", line)  # without the line of torch's code, and advice
    return RankLostError(
        f"lost another of the processes that train together ({reason}). The same command goes on from the last "
        "checkpoint"
    )


class _Mean(torch.autograd.Function):
    """The mean over ranks; its gradient is the mean of the ranks' gradients, since each sees its own slice's part."""

    @staticmethod
    def forward(_: Any, local: Tensor) -> Tensor:
        mean = local.clone(memory_format=torch.contiguous_format)
        with exchange():
            distributed.all_reduce(mean)
        return mean / rank().count

    @staticmethod
    def backward(_: Any, *gradients: Any) -> Tensor:
        return mean_across_ranks(gradients[0])
