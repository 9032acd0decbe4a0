"""An auto-encoder whose code may be narrower or wider than its hidden layers, for tables with few features.

    encoder   features -> width -> code,    decoder   code -> width -> features

ReLU after both hidden layers, none after the code or the output. In `MLPAutoencoder`, as in the paper's grid, hidden
layers and code have the same width, so a narrow code leaves only one narrow ReLU layer, which fits little more than a
plane. Without batch norm, the energy of a row depends only on that row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from torch import Tensor, nn

from ebgan.errors import check_least
from ebgan.nets.base import Autoencoder, BuildContext, DiscriminatorSpec
from ebgan.nets.layers import Dense, he, initialise, widened


@final
@dataclass(frozen=True, kw_only=True)
class BottleneckAutoencoder(DiscriminatorSpec):
    """Two weight layers from the features to the code, and two back; weights from He's distribution."""

    width: int = 64  # units of either hidden layer
    code: int = 4  # units of the code

    def build(self, context: BuildContext) -> Autoencoder:
        return initialise(_Bottleneck(self, context), context.randomness, "discriminator", he)

    def __post_init__(self) -> None:
        check_least("nets.discriminator", 1, width=self.width, code=self.code)


class _Bottleneck(Autoencoder):
    def __init__(self, spec: BottleneckAutoencoder, context: BuildContext) -> None:
        super().__init__()
        self.shape, features, models = context.shape, math.prod(context.shape), context.models
        self.encoder = nn.Sequential(
            Dense(features, spec.width, models), nn.ReLU(), Dense(spec.width, spec.code, models)
        )
        self.decoder = nn.Sequential(
            Dense(spec.code, spec.width, models), nn.ReLU(), Dense(spec.width, features, models)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        code = self.encoder(images.flatten(-3))
        flat = widened(self.decoder(code))
        return widened(code), flat.reshape(*flat.shape[:-1], *self.shape)
