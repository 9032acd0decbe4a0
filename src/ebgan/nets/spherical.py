"""An auto-encoder whose codes lie on the unit sphere, as of normalised auto-encoders (Yoon, Noh & Park, 2021).

    encoder   pixels -> width -> code, divided by its length,    decoder   code -> width -> pixels

ReLU after both hidden layers. There is no batch norm, so that the energy of an image depends on nothing but the image.
The authors' nets are convolutional; this one is ours, small enough for chains on a CPU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from torch import Tensor, nn
from torch.nn.functional import normalize

from ebgan.errors import check_least
from ebgan.nets.base import Autoencoder, BuildContext, DiscriminatorSpec, Spherical
from ebgan.nets.layers import Dense, he, initialise, widened
from ebgan.nets.output import Output, ending


@final
@dataclass(frozen=True, kw_only=True)
class SphericalAutoencoder(DiscriminatorSpec):
    """Two weight layers from the pixels to the sphere, and two back; weights from He's distribution."""

    width: int = 256  # units of either hidden layer
    code: int = 32  # units of the code; the paper's for MNIST
    output: Output = "limits"  # the decoder's last nonlinearity: the one whose range is the data's, or none

    def build(self, context: BuildContext) -> Autoencoder:
        return initialise(_Spherical(self, context), context.randomness, "discriminator", he)

    def __post_init__(self) -> None:
        check_least("nets.discriminator", 1, width=self.width)
        check_least("nets.discriminator", 2, code=self.code)


class _Spherical(Spherical):
    def __init__(self, spec: SphericalAutoencoder, context: BuildContext) -> None:
        super().__init__()
        self.shape, pixels, models = context.shape, math.prod(context.shape), context.models
        self.code, self.ending = spec.code, ending(spec.output, context.limits)
        self.encoder = nn.Sequential(Dense(pixels, spec.width, models), nn.ReLU(), Dense(spec.width, spec.code, models))
        self.decoder = nn.Sequential(Dense(spec.code, spec.width, models), nn.ReLU(), Dense(spec.width, pixels, models))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        code = normalize(widened(self.encoder(images.flatten(-3))), dim=-1)
        return code, self.decode(code)

    def decode(self, code: Tensor) -> Tensor:
        flat = self.ending(widened(self.decoder(code)))
        return flat.reshape(*flat.shape[:-1], *self.shape)
