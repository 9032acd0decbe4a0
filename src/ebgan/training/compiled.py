"""Passes through the nets by torch.compile, which fuses what stands between the matrix products.

The numbers stay the same up to rounding. The first steps of a run wait for the compiler, a minute or more; it keeps its
work in a cache of its own (TORCHINDUCTOR_CACHE_DIR), so that a resumed run hardly waits. Only the passes of training
are compiled, on one rank, and no gradient of a gradient can be taken through them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from ebgan.distributed import rank
from ebgan.errors import UsageError
from ebgan.nets.base import Classifier, Denoiser, TransitionGenerator

MEND = "Give --no-compile to train without, which takes longer and computes the same"


def compile_passes(net: nn.Module, device: torch.device | str) -> None:
    """Let a net's passes be compiled when they are first taken. Raises UsageError where no compiler works."""
    if rank().count > 1:
        raise UsageError(f"compile=True: is for one device, not for {rank().count} that train together. {MEND}")
    with telling_the_compiler():
        torch.compile(lambda x: x.exp() + 1)(torch.zeros(2, device=device))
    for name in _passes(net):
        setattr(net, name, torch.compile(getattr(net, name), dynamic=False))


@contextmanager
def telling_the_compiler() -> Iterator[None]:
    """Tell a failure of the compiler, which comes when a pass is first taken, for what it is."""
    try:
        yield
    except RuntimeError as error:
        if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise UsageError(
            f"compile=True: torch.compile failed here ({reason}). It needs a C++ compiler for the CPU (g++, or the one "
            "that $CXX names) and triton for a GPU; after a compilation that was cut short, empty its cache "
            f"(the folder torchinductor_* of temporary files, or $TORCHINDUCTOR_CACHE_DIR). {MEND}"
        ) from error


def _passes(net: nn.Module) -> tuple[str, ...]:
    """The methods by which a game's net is read."""
    if isinstance(net, TransitionGenerator):
        return ("encode", "decode")
    if isinstance(net, Denoiser):
        return ("forward", "denoise", "classify", "observe")
    return ("forward", "classify") if isinstance(net, Classifier) else ("forward",)
