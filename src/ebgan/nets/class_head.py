"""A linear classifier on the code of an auto-encoder, for semi-supervised learning from few labels.

    p(y|x) = softmax(W Enc(x) + b)

The encoder is shared by the energy of all images and the classification of the few labelled ones. The papers use
classes only in the Ladder network; this head is our own. It reads the code of the net (by default after the last
nonlinearity); in training, labelled images pass through the net separately.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.nets.base import Autoencoder, BuildContext, Classifier, DiscriminatorSpec
from ebgan.nets.layers import Dense, initialise, widened
from ebgan.nets.mlp import MLPAutoencoder
from ebgan.randomness import Randomness


@final
@dataclass(frozen=True, kw_only=True)
class ClassHead(DiscriminatorSpec):
    """An auto-encoder with a class head, whose initial weights have the deviation 1 / sqrt(size of the code)."""

    net: DiscriminatorSpec = MLPAutoencoder()  # the auto-encoder

    def build(self, context: BuildContext) -> Autoencoder:
        if context.classes < 2:
            raise UsageError(
                "nets.discriminator: a class head needs data with classes: give labelled data, or choose "
                f"{type(self.net).__name__} without a head"
            )
        net = self.net.build(context)
        if not isinstance(net, Autoencoder) or isinstance(net, Classifier):
            raise UsageError(
                f"nets.discriminator.net: a class head needs an auto-encoder without classes, and "
                f"{type(self.net).__name__} is not one: choose MLPAutoencoder"
            )
        head = Dense(self._code(context), context.classes, context.models)
        initialise(head, context.randomness, "discriminator.classes", head.summed**-0.5)
        return _Headed(net, head.to(context.device))

    def _code(self, context: BuildContext) -> int:
        """The size of a code, found on the meta device."""
        counted = BuildContext(
            context.shape, context.limits, Randomness(context.randomness.seeds.to("meta")), context.classes
        )
        net = self.net.build(counted).eval()
        code: Tensor = net(torch.zeros(*context.models, 1, *context.shape, device="meta"))[0]
        return code.shape[-1]


class _Headed(Autoencoder, Classifier):
    def __init__(self, net: Autoencoder, head: Dense) -> None:
        super().__init__()
        self.net, self.head = net, head

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        code, reconstruction = self.net(images)
        return code, reconstruction

    def classify(self, images: Tensor) -> Tensor:
        return widened(self.head(self.net(images)[0]))
