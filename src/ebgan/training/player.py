"""A player of the game: a net and its optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from ebgan.nets.clock import clocks
from ebgan.training.optim import COUNT
from ebgan.training.optimiser import Optimiser

Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class Player(Generic[Net]):
    """The net computes, possibly in bf16; the optimiser holds its weights in full precision."""

    net: Net
    optimiser: Optimiser

    @cached_property
    def clocks(self) -> list[Tensor]:
        """The buffers of the net that hold the number of images seen."""
        return clocks(self.net)

    def state(self) -> dict[str, Tensor]:
        """All state by name: weights, buffers, and the optimiser's state."""
        return self.weights() | self._slots()

    def weights(self) -> dict[str, Tensor]:
        """Weights in full precision and buffers, by the names of the net's own state dict."""
        optimiser = self.optimiser
        full = dict(zip(optimiser.names, optimiser.weights, strict=True))
        return {name: full.get(name, value) for name, value in self.net.state_dict().items()}

    @torch.no_grad()
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore a state in place; its names and shapes must be those of this player's."""
        for name, value in self.state().items():
            value.copy_(state[name])
        self.optimiser.refresh()

    def _slots(self) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for slot, values in self.optimiser.slots.items():
            if slot == COUNT:  # all weights share it
                found[slot] = values[0]
            else:
                found |= {f"{slot}.{name}": value for name, value in zip(self.optimiser.names, values, strict=True)}
        return found
