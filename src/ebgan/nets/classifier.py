"""A regular 3-layer ConvNet that classifies images, for I' and the metrics on its features."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

WIDTHS = (16, 32, 128)  # channels of the three layers
_AS_THEY_ARE = (nn.Identity(), nn.Identity(), nn.Identity())


class ConvClassifier(nn.Module):
    """Three 3x3 convolutions with ReLU, global max pooling, and a linear layer to the classes.

    The first and the third have a stride of 2. Max pooling comes before the ReLU, which gives the same as after it for
    less work.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        first, second, third = WIDTHS
        self.first = nn.Conv2d(channels, first, 3, padding=1, stride=2)
        self.second = nn.Conv2d(first, second, 3, padding=1)
        self.third = nn.Conv2d(second, third, 3, padding=1, stride=2)
        self.logits = nn.Linear(third, classes)
        for layer in (self.first, self.second, self.third):
            layer.weight.data = layer.weight.contiguous(memory_format=torch.channels_last)  # faster on a CPU

    def forward(
        self, images: Float[Tensor, "batch C H W"], norms: Sequence[nn.Module] = _AS_THEY_ARE
    ) -> Float[Tensor, "batch classes"]:
        """Logits of images in [-1, 1]."""
        logits: Tensor = self.logits(self.features(images, norms))
        return logits

    def features(
        self, images: Float[Tensor, "batch C H W"], norms: Sequence[nn.Module] = _AS_THEY_ARE
    ) -> Float[Tensor, "batch 128"]:
        """The input of the linear layer, for images in [-1, 1] of at least 4x4 pixels; `norms` precede the ReLUs."""
        # The third layer sees at most 8x8 cells, so that it covers half of a digit at any image size.
        shrink = math.ceil(max(images.shape[-2:]) / 32)
        x = self.first(_channels_last(images))
        x = norms[0](max_pool2d(x, shrink) if shrink > 1 else x).relu()
        x = norms[1](max_pool2d(self.second(x), 2)).relu()
        largest = torch.amax(self.third(x).flatten(2), -1)
        features: Tensor = norms[2](largest)
        return features.relu()


def _channels_last(images: Tensor) -> Tensor:
    """The images in channels-last memory format, which is faster on a CPU and kept by the following layers.

    With one channel, only the strides change.
    """
    return images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
