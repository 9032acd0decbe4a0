"""A classifier for few labels: noise on the input, batch norm, dropout (VGAN; Zhai et al., 2016, table 2).

    x + N(0, 0.1^2) - three times [(w)3c BN ReLU - (w)3c BN ReLU - pool - dropout 0.5] - mean over places - classes

The paper names the parts, and the authors' code the layers and w = 64 for MNIST.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

NOISE = 0.1  # standard deviation, of images in [0, 1]
DROPOUT = 0.5
BLOCKS = 3  # each halves the size


class RegularisedClassifier(nn.Module):
    """Six 3x3 convolutions with batch norm, and all that keeps 1,000 images from being learned by heart."""

    def __init__(self, channels: int, classes: int, width: int = 64) -> None:
        super().__init__()
        blocks = [_block(width if place else channels, width) for place in range(BLOCKS)]
        self.blocks = nn.Sequential(*blocks)
        self.logits = nn.Linear(width, classes)

    def forward(self, images: Float[Tensor, "batch C H W"]) -> Float[Tensor, "batch classes"]:
        """Logits of images in [0, 1], of 8x8 pixels or more."""
        noisy = images + NOISE * torch.randn_like(images) if self.training else images
        logits: Tensor = self.logits(self.blocks(noisy).mean((-2, -1)))
        return logits


def _block(inputs: int, width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number in (inputs, width):
        layers += [nn.Conv2d(number, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2), nn.Dropout(DROPOUT))
