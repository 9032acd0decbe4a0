"""Pass a batch through a net in parts, to save memory: activations are kept for one part at a time.

    forward     the parts one after the other, of which nothing is kept but what comes out
    backward    each part once more, this time with all that its gradient needs, which is then freed

The objective reads the whole batch all the same, so that hinges, the pulling-away term and every state mean what they
mean without parts, and gradients are those of the whole batch. The price is the second pass.
Batch norm alone, which takes its statistics from what passes at once, would mean something else.
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
    """The output of a pass without its activations; the gradient repeats the pass with the same buffers."""
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
    """Records of the parts as one of the whole batch; `axes` says along which axis each field is joined."""

    def whole(name: str) -> Tensor | None:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else torch.cat(values, axes[name])

    values: dict[str, Any] = {name: whole(name) for name in axes}
    found: Record = parts[0]._replace(**values)
    return found


def refuse_batch_norm(net: nn.Module, name: str) -> None:
    """Raise UsageError if a net has batch norm, which parts would change."""
    if any(isinstance(module, BatchNorm | Standardise | nn.BatchNorm1d | nn.BatchNorm2d) for module in net.modules()):
        raise UsageError(
            f"accumulate: nets.{name} has batch norm, whose statistics would be those of each part: take a net without "
            "(batch_norm=False, where it has that field), choose a smaller batch, or ask for it by "
            "--accumulate-norms"
        )


@contextmanager
def _as_it_was(net: nn.Module, buffers: list[Tensor]) -> Iterator[None]:
    """The net's buffers as they were at another moment: its statistics, how many samples it drew noise for."""
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
