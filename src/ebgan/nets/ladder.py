"""The Ladder network (Rasmus, Berglund, Honkala, Valpola & Raiko, 2015), as used by the EBGAN paper (appendix D).

    encoder     z_l = BN(W_l h_{l-1}) + noise,   h_l = relu(z_l + beta_l),   p(y|x) = softmax(z_L + beta_L)
    decoder     u_L = BN(p),   u_l = BN(V_{l+1} zhat_{l+1}),   zhat_l = g(z_l, u_l)
    gaussian    g = (z - mu) v + mu,   mu = a1 s(a2 u + a3) + a4 u + a5,   v = a6 s(a7 u + a8) + a9 u + a10
    vanilla     g = a1 + a2 z + a3 u + a4 z u + b1 s(c1 + c2 z + c3 u + c4 z u)                (Pezeshki et al., 2016)

s is the sigmoid. Initially a2 = a7 = 1 (gaussian), a2 = b1 = c2 = 1 (vanilla) and all others are 0, so gaussian
estimates begin at 0. Noise of standard deviation 0.3 is also added to the pixels, z_0. BN has neither scale nor shift,
and uses the statistics of the current batch: labelled images, unlabelled images and samples are never mixed. Rasmus et
al. scale the logits, (z_L + beta_L) gamma_L; the EBGAN paper's net has no such gamma (`top_scale`).

In evaluation there is no noise, and BN uses running statistics of noise-free passes over the data: of unlabelled
images, or of labelled ones as in the authors' code (`statistics`), which affects the error.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ebgan.errors import UsageError, check_least, check_number
from ebgan.nets.base import BuildContext, Denoised, Denoiser, DiscriminatorSpec
from ebgan.nets.layers import DEEPEST, Dense, Models, Wide, initialise
from ebgan.nets.noise import Noise
from ebgan.nets.standardise import Standardise
from ebgan.records import Batch

Combination = Literal["gaussian", "vanilla"]
Statistics = Literal["unlabelled", "labelled"]


@final
@dataclass(frozen=True, kw_only=True)
class Ladder(DiscriminatorSpec):
    """Hidden layers of `widths` units and a layer of classes, with a decoder layer for each."""

    widths: tuple[int, ...] = (1000, 500, 250, 250, 250)  # hidden units
    noise: float = 0.3  # standard deviation, on the pixels and on every layer
    combinator: Combination = "gaussian"  # g, which combines a layer's noisy value with the signal from above
    top_scale: bool = False  # whether logits are scaled by a learned gamma
    statistics: Statistics = "unlabelled"  # the images whose statistics BN uses in evaluation

    def build(self, context: BuildContext) -> Denoiser:
        if context.classes < 2:
            raise UsageError(
                "nets.discriminator: the Ladder network needs data with classes: a folder for each class, or a table "
                "of some images' labels (--labels FILE); or choose MLPAutoencoder"
            )
        net = _Ladder(self, context)
        for name, layer in net.named_modules():
            if isinstance(layer, Dense):
                initialise(layer, context.randomness, f"discriminator.{name}", layer.weight.shape[-1] ** -0.5)
        return net

    def __post_init__(self) -> None:
        for width in self.widths:
            check_least("nets.discriminator", 1, widths=width)
        if not self.widths:
            raise UsageError("nets.discriminator.widths=(): expected at least one hidden layer")
        if len(self.widths) > DEEPEST:
            raise UsageError(
                f"nets.discriminator.widths: {len(self.widths):,} hidden layers: expected at most {DEEPEST:,}"
            )
        check_number("nets.discriminator", "of 0 or more", noise=self.noise)


class _Encoded(NamedTuple):
    before: list[Tensor]  # W_l h_{l-1} of each layer above the pixels
    z: list[Tensor]  # of each layer, the pixels first
    code: Tensor  # the last hidden layer
    logits: Tensor


class _Decoded(NamedTuple):
    before: list[Tensor]  # what BN makes u of, of each layer, the pixels first
    estimates: list[Tensor]  # of each layer, the pixels first


class _Ladder(Denoiser):
    def __init__(self, spec: Ladder, context: BuildContext) -> None:
        super().__init__()
        sizes = [math.prod(context.shape), *spec.widths, context.classes]
        pairs, models = list(itertools.pairwise(sizes)), context.models
        combinator = _Gaussian if spec.combinator == "gaussian" else _Vanilla
        self.shape, self.statistics = context.shape, spec.statistics
        self.noise = Noise(spec.noise, sizes, context.randomness, "ladder")
        self.encoder = nn.ModuleList(Dense(below, above, models, bias=False) for below, above in pairs)
        self.encoder_norms = nn.ModuleList(Standardise(above, models) for _, above in pairs)
        self.shifts = nn.ModuleList(
            _Shift(above, models, scaled=spec.top_scale and index == len(pairs) - 1)
            for index, (_, above) in enumerate(pairs)
        )
        self.decoder = nn.ModuleList(Dense(above, below, models, bias=False) for below, above in pairs)
        self.decoder_norms = nn.ModuleList(Standardise(size, models) for size in sizes)
        self.combinators = nn.ModuleList(combinator(size, models) for size in sizes)
        self.to(context.device)

    @property
    def layers(self) -> int:
        return len(self.decoder_norms)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        code, (reconstruction,), _ = self.denoise(images, 1)
        return code, reconstruction.reshape(*reconstruction.shape[:-1], *self.shape)

    def classify(self, images: Tensor) -> Tensor:
        return self._encode(images, self.noise(images)).logits

    def denoise(self, images: Tensor, layers: int) -> Denoised:
        corrupted = self._encode(images, self.noise(images))
        estimates = self._decode(corrupted).estimates[:layers]
        if layers == 1:
            return Denoised(corrupted.code, tuple(estimates), (images.flatten(-3),))
        clean = self._encode(images, None)
        for index, (norm, before) in enumerate(zip(self.encoder_norms, clean.before[: layers - 1], strict=False)):
            assert isinstance(norm, Standardise)
            estimates[index + 1] = norm.by(before, estimates[index + 1])
        return Denoised(corrupted.code, tuple(estimates), tuple(clean.z[:layers]))

    def encode(self, images: Tensor) -> Tensor:
        return self._encode(images, None).code

    @torch.no_grad()
    def observe(self, batch: Batch) -> None:
        labelled = batch.labelled is not None and self.statistics == "labelled"
        images = batch.labelled.images if labelled and batch.labelled else batch.images
        encoded = self._encode(images, None)
        decoded = self._decode(encoded)
        norms = [*self.encoder_norms, *self.decoder_norms]
        for norm, before in zip(norms, encoded.before + decoded.before, strict=True):
            assert isinstance(norm, Standardise)
            norm.follow(before)

    def _encode(self, images: Tensor, noise: Sequence[Tensor] | None) -> _Encoded:
        """One pass up, with or without noise."""
        flat = images.flatten(-3)
        before, z = [], [flat if noise is None else flat + noise[0]]
        code, hidden = z[0], z[0]
        for index, (layer, norm, shift) in enumerate(zip(self.encoder, self.encoder_norms, self.shifts, strict=True)):
            before.append(layer(hidden))
            standard = norm(before[-1])
            z.append(standard if noise is None else standard + noise[index + 1])
            code, logits = hidden, shift(z[-1])
            hidden = logits.relu()
        return _Encoded(before, z, code, logits)

    def _decode(self, encoded: _Encoded) -> _Decoded:
        """One pass down."""
        signal, before, estimates = encoded.logits.softmax(-1), [], []
        for index in reversed(range(len(encoded.z))):
            before.append(signal)
            estimates.append(self.combinators[index](encoded.z[index], self.decoder_norms[index](signal)))
            if index:
                signal = self.decoder[index - 1](estimates[-1])
        return _Decoded(before[::-1], estimates[::-1])


class _Shift(Wide):
    """x + beta, or (x + beta) gamma."""

    def __init__(self, size: int, models: Models, scaled: bool) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(*models, size))
        self.scale = nn.Parameter(torch.ones(*models, size)) if scaled else None

    def forward(self, x: Float[Tensor, "*models batch units"]) -> Float[Tensor, "*models batch units"]:
        shifted = x + self.shift[..., None, :]
        return shifted if self.scale is None else shifted * self.scale[..., None, :]


class _Gaussian(Wide):
    def __init__(self, size: int, models: Models) -> None:
        super().__init__()
        self.a = _table(10, size, models, ones=(2, 7))

    def forward(self, z: Tensor, u: Tensor) -> Tensor:
        a1, a2, a3, a4, a5, a6, a7, a8, a9, a10 = self.a[..., None, :].unbind(-3)
        mean = a1 * torch.sigmoid(a2 * u + a3) + a4 * u + a5
        share = a6 * torch.sigmoid(a7 * u + a8) + a9 * u + a10
        return torch.lerp(mean, z.to(mean.dtype), share)


class _Vanilla(Wide):
    def __init__(self, size: int, models: Models) -> None:
        super().__init__()
        self.a = _table(4, size, models, ones=(2,))
        self.b = _table(1, size, models, ones=(1,))
        self.c = _table(4, size, models, ones=(2,))

    def forward(self, z: Tensor, u: Tensor) -> Tensor:
        def blend(table: Tensor) -> Tensor:
            first, second, third, fourth = table[..., None, :].unbind(-3)
            return first + second * z + third * u + fourth * z * u

        return blend(self.a) + self.b * torch.sigmoid(blend(self.c))


def _table(rows: int, size: int, models: Models, ones: tuple[int, ...]) -> nn.Parameter:
    """A combinator's parameters [*models, rows, units]: 1 in the rows `ones`, counted from 1, and 0 in the others."""
    values = torch.zeros(*models, rows, size)
    values[..., [row - 1 for row in ones], :] = 1
    return nn.Parameter(values)
