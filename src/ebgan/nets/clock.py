"""Nets that change as they are trained: by the images seen, which the game tells them before each step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ebgan.schedules import Schedule


class Fading(nn.Module):
    """A schedule's value now. The clock is a buffer, so that a checkpoint and whoever samples from it know the time."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule
        self.images: Tensor
        self.register_buffer("images", torch.zeros((), dtype=torch.int64))

    def forward(self) -> Tensor:
        """The value [] in float32."""
        return self.schedule.at(self.images)


def clocks(net: nn.Module) -> list[Tensor]:
    """The clocks within a net, [] int64 each."""
    return [module.images for module in net.modules() if isinstance(module, Fading)]
