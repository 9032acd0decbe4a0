"""Train the classifier: Adam with one cycle of the learning rate, on images shifted a little, with batch norm.

Batch norm (Ioffe & Szegedy, 2015) without a scale of its own stands before each ReLU,

    y = (x - mean) / sqrt(variance + eps) + shift

and with the means and variances of the whole training it is a part of the convolution before it: the net that is kept
has none. One reading of MNIST and a quarter teach it what takes four readings without.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Iterator

import torch
from jaxtyping import Float, Integer, UInt8
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from ebgan.nets.classifier import WIDTHS, ConvClassifier
from ebgan.randomness import Randomness

_SEED = 0
_READINGS = 1.25  # of the whole set
_LEAST_IMAGES = 30_000  # read in all: more readings where a data set is small
_BATCH = 64
_LEARNING_RATE = 1e-2
_EPSILON = 1e-5  # of batch norm
_SAID = 10.0  # seconds between two lines about how far it has come

logger = logging.getLogger(__name__)


def fit_classifier(
    images: UInt8[Tensor, "samples C H W"],
    labels: Integer[Tensor, " samples"],
    classes: int,
    device: torch.device | str = "cpu",
    indices: Integer[Tensor, " chosen"] | None = None,
) -> ConvClassifier:
    """Train a net on images, or only on those at `indices` (two or more), read batch by batch.

    It is the same for the same images; torch's own random state stays as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(_SEED)
        net = ConvClassifier(images.shape[1], classes)
    kinds = (nn.BatchNorm2d, nn.BatchNorm2d, nn.BatchNorm1d)
    norms = nn.ModuleList(kind(width, _EPSILON) for kind, width in zip(kinds, WIDTHS, strict=True))
    indices = torch.arange(len(images)) if indices is None else indices
    _fit(net.to(device), norms.to(device), images, labels, indices)
    _fold(net, norms)
    return net.eval().requires_grad_(False)


def scaled(images: Tensor) -> Float[Tensor, "samples C H W"]:
    """Images in [-1, 1], from bytes or from [-1, 1]."""
    return images / 127.5 - 1 if images.dtype == torch.uint8 else images.float()


@torch.enable_grad()
def _fit(net: ConvClassifier, norms: nn.ModuleList, images: Tensor, labels: Tensor, indices: Tensor) -> None:
    device, batches = net.logits.weight.device, list(_batches(len(indices)))
    optimiser = torch.optim.Adam(_learned(net, norms), _LEARNING_RATE, fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE, total_steps=len(batches) + 1)
    offsets = _offsets(len(batches), images.shape[-1])
    for batch, (row, column) in zip(_saying(batches), offsets, strict=True):
        read = indices[batch]
        shifted = _shifted(scaled(images[read].to(device)), row, column)
        loss = cross_entropy(net(shifted, tuple(norms)), labels[read].to(device, torch.int64))
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        cycle.step()


def _learned(net: ConvClassifier, norms: nn.ModuleList) -> list[nn.Parameter]:
    """All that moves: of a norm its shift, and of a convolution its weights, whose own shift the norm takes away."""
    convolutions = [layer.get_parameter("weight") for layer in (net.first, net.second, net.third)]
    return [*convolutions, *(norm.get_parameter("bias") for norm in norms), *net.logits.parameters()]


@torch.no_grad()
def _fold(net: ConvClassifier, norms: nn.ModuleList) -> None:
    """Give each convolution the norm behind it; that the largest answer is taken between them changes nothing."""
    for layer, norm in zip((net.first, net.second, net.third), norms, strict=True):
        scale = (norm.get_buffer("running_var") + _EPSILON).rsqrt()  # above 0, so that the order of answers stays
        shift = norm.get_parameter("bias") - norm.get_buffer("running_mean") * scale
        own = layer.get_parameter("bias")
        own.copy_(own * scale + shift)
        layer.weight.mul_(scale[:, None, None, None])


def _batches(samples: int) -> Iterator[Tensor]:
    """The indices of each batch: all images in a new order each epoch, until enough are read."""
    size = min(_BATCH, samples)
    left = max(round(_READINGS * samples), _LEAST_IMAGES) // size
    for reading in itertools.count():
        order = Randomness.of(_SEED).permutation("classifier's order", samples, reading)
        whole = torch.split(order[: samples - samples % size], size)[:left]
        yield from whole
        left -= len(whole)
        if not left:
            return


def _reach(size: int) -> int:
    """How many pixels a shift spans at most, either way; none in images that are smaller than MNIST's."""
    return size // 28


def _offsets(count: int, size: int) -> list[list[int]]:
    """A row and a column for each batch, each in [0, 2 reach]."""
    span = 2 * _reach(size) + 1
    return (Randomness.of(_SEED).uniform("classifier's shifts", count, 2) * span).ceil().long().sub(1).tolist()


def _shifted(images: Tensor, row: int, column: int) -> Tensor:
    """Images whose edges are repeated outward and which are then cut at an offset."""
    height, width = images.shape[-2:]
    reach = _reach(width)
    wide = pad(images, (reach, reach, reach, reach), mode="replicate")
    return wide[..., row : row + height, column : column + width]


def _saying(batches: list[Tensor]) -> Iterator[Tensor]:
    """Yield the batches, and log the progress every ten seconds."""
    begun = said = time.monotonic()
    for done, batch in enumerate(batches):
        now = time.monotonic()
        if now - said >= _SAID:
            said, share = now, done / len(batches)
            logger.info("Classifier: %.0f%%, %.0f s left", 100 * share, (now - begun) * (1 / share - 1))
        yield batch
