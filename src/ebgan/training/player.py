"""A player of the game: a net, and the optimiser that moves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from ebgan.nets.clock import clocks
from ebgan.training.optim import COUNT, Optimiser

Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class Player(Generic[Net]):
    """The net computes; what is kept of its weights is the optimiser's, in full precision."""

    net: Net
    optimiser: Optimiser

    @cached_property
    def clocks(self) -> list[Tensor]:
        """The buffers in which the net keeps the images seen, if it changes with them."""
        return clocks(self.net)

    def state(self) -> dict[str, Tensor]:
        """All that moves, by name: weights, buffers, and what the optimiser remembers."""
        return self.weights() | self._slots()

    def weights(self) -> dict[str, Tensor]:
        """Weights in full precision and buffers, by the names of the net's own state dict."""
        optimiser = self.optimiser
        full = dict(zip(optimiser.names, optimiser.weights, strict=True))
        return {name: full.get(name, value) for name, value in self.net.state_dict().items()}

    @torch.no_grad()
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Bring back a state in place; it has every name and shape of this one's."""
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
