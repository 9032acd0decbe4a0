"""A classifier for few labels: noise on the input, batch norm, dropout (VGAN; Zhai et al., 2016, table 2).

    x + N(0, 0.1^2) - block - pool, dropout 0.5 - block - pool, dropout 0.5 - block - mean over pixels - classes

where each convolution of a block is followed by batch norm and ReLU. The paper names the parts; layers and feature maps
are those of the authors' code for MNIST (`GREY`) and SVHN (`COLOUR`).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ebgan.nets.notation import parse

NOISE = 0.1  # standard deviation, of images in [0, 1]
DROPOUT = 0.5
GREY = ("(64)3c-(64)3c", "(64)3c-(64)3c", "(64)3c-(64)3c")
COLOUR = ("(96)3c-(96)3c-(96)3c", "(192)3c-(192)3c-(192)3c", "(192)3c-(192)1c-(192)1c")


class RegularisedClassifier(nn.Module):
    """A convolutional classifier with noise, batch norm and dropout, for training on 1,000 images."""

    def __init__(self, channels: int, classes: int, divide: int = 1) -> None:
        """The number of feature maps is divided by `divide`."""
        super().__init__()
        layers: list[nn.Module] = []
        maps = channels
        for index, block in enumerate(GREY if channels == 1 else COLOUR):
            if index:
                layers += [nn.MaxPool2d(2), nn.Dropout(DROPOUT)]
            for layer in parse(block, "block"):
                before, maps = maps, max(layer.maps // divide, 1)
                convolution = nn.Conv2d(before, maps, layer.kernel, padding=layer.kernel // 2)
                weight = convolution.weight.contiguous(memory_format=torch.channels_last)  # faster on a CPU
                convolution.weight.data = weight
                layers += [convolution, nn.BatchNorm2d(maps), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.logits = nn.Linear(maps, classes)

    def forward(self, images: Float[Tensor, "batch C H W"]) -> Float[Tensor, "batch classes"]:
        """Logits of images in [0, 1], of 4x4 pixels or more."""
        noisy = images + NOISE * torch.randn_like(images) if self.training else images
        logits: Tensor = self.logits(self.layers(noisy).mean((-2, -1)))
        return logits
