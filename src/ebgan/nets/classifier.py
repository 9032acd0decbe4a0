"""A regular 3-layer ConvNet, which names the class of an image: what I' and the metrics on its features read."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import max_pool2d


class ConvClassifier(nn.Module):
    """Three 3x3 convolutions with ReLU, the largest answer over the image, and a linear layer to the classes."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, 16, 3, padding=1)
        self.second = nn.Conv2d(16, 32, 3, padding=1)
        self.third = nn.Conv2d(32, 128, 3, padding=1)
        self.logits = nn.Linear(128, classes)
        for layer in (self.first, self.second, self.third):
            layer.weight.data = layer.weight.contiguous(memory_format=torch.channels_last)  # faster on a CPU

    def forward(self, images: Float[Tensor, "batch C H W"]) -> Float[Tensor, "batch classes"]:
        """Logits of images in [-1, 1]."""
        logits: Tensor = self.logits(self.features(images))
        return logits

    def features(self, images: Float[Tensor, "batch C H W"]) -> Float[Tensor, "batch 128"]:
        """What the linear layer reads, for images in [-1, 1] from 8x8 pixels on."""
        # The third layer meets at most 8x8 cells, so that it sees half of a digit at any image size.
        shrink = 2 * math.ceil(max(images.shape[-2:]) / 32)
        x = max_pool2d(self.first(images).relu(), shrink)
        x = max_pool2d(self.second(x).relu(), 2)
        x = self.third(x).relu().flatten(2)
        return torch.amax(x, -1)
