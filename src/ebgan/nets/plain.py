"""Nets made of torch's own layers, which draw from torch's random generator; our layers draw from `context.randomness`.

While such a net is built, torch's generator is seeded by the run's seed: the same seed gives the same weights on every
rank. Layers that draw during training (dropout) are refused, since no seed of the run determines their draws and no
checkpoint has the generator's state.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from ebgan.distributed import rank
from ebgan.errors import UsageError
from ebgan.nets.base import BuildContext
from ebgan.nets.layers import Weighted

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
_RANDOM = (nn.RReLU, nn.FractionalMaxPool2d, nn.FractionalMaxPool3d)


@contextmanager
def seeded(context: BuildContext, player: str) -> Iterator[None]:
    """Seed torch's generator by the context's first seed and the player's name; restore its state afterwards."""
    seeds, device = context.randomness.seeds, context.device
    if seeds.is_meta:
        yield
        return
    with torch.random.fork_rng(range(torch.cuda.device_count()) if device.type == "cuda" else []):
        torch.manual_seed((int(seeds.flatten()[0]) ^ zlib.crc32(player.encode()) << 31) % 2**63)
        yield


def check_plain(net: nn.Module, context: BuildContext, player: str, dtype: torch.dtype) -> None:
    """Raise UsageError for torch layers that draw random numbers in training, or do not fit a stack or the dtype."""
    for name, module in net.named_modules():
        where = f"nets.{player}: {name or 'the net'} is torch's {type(module).__name__}, which"
        if _draws(module):
            raise UsageError(
                f"{where} draws from torch's generator, which does not depend on the run's seed or its checkpoints: "
                "use ebgan.nets.layers.Dropout(rate, site.randomness, NAME)"
            )
        if isinstance(module, _BATCH_NORMS) and rank().count > 1:
            raise UsageError(
                f"{where} takes the statistics of one process's part of a batch: use BatchNorm of "
                "ebgan.nets.layers, or train in one process"
            )
    if not has_plain(net):
        return
    if context.models:
        raise UsageError(
            f"nets.{player}: torch's own layers cannot be stacked ({math.prod(context.models)} models): train the "
            "models one by one, or use the layers of ebgan.nets.layers"
        )
    ours = any(isinstance(module, Weighted) for module in net.modules())
    if dtype is torch.float64 or (dtype is not torch.float32 and ours):
        raise UsageError(
            f"nets.{player}: torch's own layers compute in float32, beside which {str(dtype).removeprefix('torch.')} "
            'cannot stand: give precision="fp32", or use the layers of ebgan.nets.layers'
        )


def has_plain(net: nn.Module) -> bool:
    """Whether a net has torch layers with weights."""
    return any(
        type(module).__module__.startswith("torch.nn.") and next(module.parameters(recurse=False), None) is not None
        for module in net.modules()
    )


def _draws(module: nn.Module) -> bool:
    """Whether a torch layer draws random numbers while training."""
    if isinstance(module, _DROPOUTS):
        return module.p > 0
    if isinstance(module, nn.MultiheadAttention | nn.RNNBase):
        return module.dropout > 0
    return isinstance(module, _RANDOM)
