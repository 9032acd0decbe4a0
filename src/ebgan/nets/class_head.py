"""A linear layer of classes on the code of an auto-encoder, for energies that learn classes from few labels.

    p(y|x) = softmax(W Enc(x) + b)

The encoder is shared: what the energy makes of all images is what the classes of the few labelled ones are told from.
The papers put classes into the Ladder network alone; this head is ours, the plainest that there is. It reads the code
that the net gives (after its last nonlinearity, by default), in training in a pass of the labelled images alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.nets.base import Autoencoder, BuildContext, Classifier, DiscriminatorSpec
from ebgan.nets.layers import Linear, initialise, widened
from ebgan.nets.mlp import MLPAutoencoder
from ebgan.randomness import Randomness


@final
@dataclass(frozen=True, kw_only=True)
class ClassHead(DiscriminatorSpec):
    """An auto-encoder that also tells classes apart; its initial head has the deviation 1 / sqrt(size of the code)."""

    net: DiscriminatorSpec = MLPAutoencoder()  # the auto-encoder

    def build(self, context: BuildContext) -> Autoencoder:
        if context.classes < 2:
            raise UsageError(
                "nets.discriminator: a class head needs data with classes to tell apart; give data whose images are "
                f"labelled, or take {type(self.net).__name__} without a head"
            )
        net = self.net.build(context)
        if not isinstance(net, Autoencoder) or isinstance(net, Classifier):
            raise UsageError(
                f"nets.discriminator.net: a class head reads the code of an auto-encoder, which "
                f"{type(self.net).__name__} has not, or has with classes of its own: take MLPAutoencoder"
            )
        head = Linear(self._code(context), context.classes, context.models)
        initialise(head, context.randomness, "discriminator.classes", head.summed**-0.5)
        return _Headed(net, head.to(context.device))

    def _code(self, context: BuildContext) -> int:
        """The numbers in a code, counted on the meta device, which holds none."""
        counted = BuildContext(
            context.shape, context.limits, Randomness(context.randomness.seeds.to("meta")), context.classes
        )
        net = self.net.build(counted).eval()
        code: Tensor = net(torch.zeros(*context.models, 1, *context.shape, device="meta"))[0]
        return code.shape[-1]


class _Headed(Autoencoder, Classifier):
    def __init__(self, net: Autoencoder, head: Linear) -> None:
        super().__init__()
        self.net, self.head = net, head

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        code, reconstruction = self.net(images)
        return code, reconstruction

    def classify(self, images: Tensor) -> Tensor:
        return widened(self.head(self.net(images)[0]))
