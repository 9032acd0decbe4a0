"""Pass a batch through a net in parts, to save memory: activations are kept for one part at a time.

    forward     one part after the other; only the outputs are kept
    backward    each part once more, now with its activations, which are freed after its gradient

The objective reads the whole batch, so that hinges, the pulling-away term, every state and the gradients are the same
as without parts. The cost is the second pass. Only batch norm would differ, since its statistics would be per part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ebgan.errors import UsageError
from ebgan.nets.layers import BatchNorm
from ebgan.nets.standardise import Standardise
from ebgan.records import Reading, Sample

Out = TypeVar("Out")
Record = TypeVar("Record", Reading, Sample)


def in_part(net: nn.Module, forward: Callable[[], Out]) -> Out:
    """Run a pass without keeping its activations; the backward pass repeats it with the same buffers."""
    buffers = [buffer.clone() for buffer in net.buffers()]
    passes = iter((True, False))

    def once() -> Out:
        if next(passes, False):
            return forward()
        with _as_it_was(net, buffers):
            return forward()

    found: Out = checkpoint(once, use_reentrant=False, preserve_rng_state=False)
    return found


def joined(parts: Sequence[Record], axes: Mapping[str, int]) -> Record:
    """Join the records of the parts into one of the whole batch; `axes` has the batch axis of each field."""

    def whole(name: str) -> Tensor | None:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else torch.cat(values, axes[name])

    values: dict[str, Any] = {name: whole(name) for name in axes}
    found: Record = parts[0]._replace(**values)
    return found


def refuse_batch_norm(net: nn.Module, name: str) -> None:
    """Raise UsageError if a net has batch norm, whose statistics would be per part."""
    if any(isinstance(module, BatchNorm | Standardise | nn.BatchNorm1d | nn.BatchNorm2d) for module in net.modules()):
        raise UsageError(
            f"accumulate: nets.{name} has batch norm, whose statistics would be those of each part: take a net without "
            "(batch_norm=False, where it has that field), choose a smaller batch, or ask for it by "
            "--accumulate-norms"
        )


@contextmanager
def _as_it_was(net: nn.Module, buffers: list[Tensor]) -> Iterator[None]:
    """Temporarily restore earlier values of the net's buffers (statistics, counts of noise draws)."""
    now = [buffer.clone() for buffer in net.buffers()]
    _set(net, buffers)
    try:
        yield
    finally:
        _set(net, now)


@torch.no_grad()
def _set(net: nn.Module, buffers: list[Tensor]) -> None:
    for buffer, value in zip(net.buffers(), buffers, strict=True):
        buffer.copy_(value)
