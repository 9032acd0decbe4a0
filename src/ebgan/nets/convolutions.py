"""Convolutions of one model, padded so that only the stride decides the output size: n -> n / s, or n -> n s.

A kernel of k with a stride of s is padded by (k - s) / 2 on each side, rounded up. Arithmetic follows the dtype of the
weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ebgan.distributed import rank
from ebgan.nets.layers import BatchNorm, Weighted
from ebgan.nets.notation import Layer

Maker = Callable[[int, Layer, bool], Weighted]


class Convolution(Weighted):
    """[batch, in, n, n] -> [batch, out, n / stride, n / stride]; unpadded if the kernel covers the whole input."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, bias: bool = True, padded: bool = True
    ) -> None:
        super().__init__()
        self.stride, self.padding = stride, (kernel - stride + 1) // 2 if padded else 0
        self.summed = inputs * kernel**2
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Float[Tensor, "batch inputs H W"]) -> Float[Tensor, "batch outputs h w"]:
        return functional.conv2d(x.to(self.weight.dtype), self.weight, self.bias, self.stride, self.padding)


class Deconvolution(Weighted):
    """[batch, in, n, n] -> [batch, out, n stride, n stride]; a stride of 1 spreads a single pixel over the kernel."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, bias: bool = True) -> None:
        super().__init__()
        self.stride, self.padding = stride, (kernel - stride + 1) // 2 if stride > 1 else 0
        self.beyond = 2 * self.padding - (kernel - stride) if stride > 1 else 0  # pixels removed by rounding up
        self.summed = inputs * (kernel // stride) ** 2 if stride > 1 else inputs
        self.weight = nn.Parameter(torch.zeros(inputs, outputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Float[Tensor, "batch inputs h w"]) -> Float[Tensor, "batch outputs H W"]:
        x = x.to(self.weight.dtype)
        return functional.conv_transpose2d(x, self.weight, self.bias, self.stride, self.padding, self.beyond)


class ImageNorm(nn.Module):
    """Batch normalisation of each channel, over all pixels of all images of all ranks."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.places = BatchNorm(channels)

    def forward(self, x: Float[Tensor, "batch channels H W"]) -> Float[Tensor, "batch channels H W"]:
        norm = self.places
        if rank().count == 1:  # torch's kernel for images
            both = norm.scale, norm.shift
            return functional.batch_norm(x, norm.mean, norm.variance, *both, norm.training, norm.momentum, norm.epsilon)
        rows = x.movedim(1, -1)
        normed: Tensor = norm(rows.flatten(0, 2)).view(rows.shape)
        return normed.movedim(-1, 1)


def he_by_outputs(layer: Weighted) -> float:
    """He's standard deviation with output maps times kernel size as fan-in, as in MAGAN's code before a ReLU."""
    inputs = layer.weight.shape[0 if isinstance(layer, Deconvolution) else 1]
    return math.sqrt(2 * inputs / layer.weight.numel())


def shrinking(inputs: int, layer: Layer, bias: bool) -> Weighted:
    """A layer of an encoder."""
    return Convolution(inputs, layer.maps, layer.kernel, layer.stride, bias=bias)


def growing(inputs: int, layer: Layer, bias: bool) -> Weighted:
    """A layer of a decoder or generator."""
    if layer.stride == 1:
        return Convolution(inputs, layer.maps, layer.kernel, bias=bias)
    return Deconvolution(inputs, layer.maps, layer.kernel, layer.stride, bias=bias)


def spreading(inputs: int, layer: Layer, bias: bool) -> Weighted:
    """A generator's first layer, from a single pixel."""
    return Deconvolution(inputs, layer.maps, layer.kernel, bias=bias)


def chain(
    inputs: int, layers: Sequence[Layer], make: Maker, activation: nn.Module, *, normed: Sequence[bool], bias: bool
) -> nn.Sequential:
    """A sequence of layers, with batch norm after those that are `normed` and a nonlinearity between any two."""
    parts: list[nn.Module] = []
    for layer, norm in zip(layers, normed, strict=True):
        parts += [activation] if parts else []
        parts += [make(inputs, layer, bias), *([ImageNorm(layer.maps)] if norm else [])]
        inputs = layer.maps
    return nn.Sequential(*parts)


def channels_last(images: Float[Tensor, "batch C H W"]) -> Float[Tensor, "batch C H W"]:
    """The images in channels-last memory format, which the following layers keep."""
    return images.contiguous(memory_format=torch.channels_last)
