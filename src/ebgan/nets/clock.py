"""Nets that change with the images seen, which the game sets before each step (`Game.set_clock`)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ebgan.schedules import Schedule


class Fading(nn.Module):
    """The current value of a schedule. The images seen are a buffer, so that checkpoints contain them."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule
        self.images: Tensor
        self.register_buffer("images", torch.zeros((), dtype=torch.int64))

    def forward(self) -> Tensor:
        """The value [] in float32."""
        return self.schedule.at(self.images)


def clocks(net: nn.Module) -> list[Tensor]:
    """The buffers of images seen in a net, [] int64 each."""
    return [module.images for module in net.modules() if isinstance(module, Fading)]
