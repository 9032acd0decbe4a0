"""How the classifier learns: Adam with one cycle of the learning rate, on images shifted a little."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float, Integer, UInt8
from torch import Tensor
from torch.nn.functional import cross_entropy, pad

from ebgan.nets.classifier import ConvClassifier
from ebgan.randomness import Randomness

_SEED = 0
_EPOCHS = 4
_LEAST_IMAGES = 45_000  # read in all: more epochs where a data set is small
_LEARNING_RATE = 6e-3


def fit_classifier(
    images: UInt8[Tensor, "samples C H W"],
    labels: Integer[Tensor, " samples"],
    classes: int,
    device: torch.device | str = "cpu",
    places: Integer[Tensor, " chosen"] | None = None,
) -> ConvClassifier:
    """A net trained on images, or on those at some places alone, which are read batch by batch.

    It is the same for the same images; torch's own random state stays as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(_SEED)
        net = ConvClassifier(images.shape[1], classes)
    _fit(net.to(device), images, labels, torch.arange(len(images)) if places is None else places, device)
    return net.eval().requires_grad_(False)


def scaled(images: Tensor) -> Float[Tensor, "samples C H W"]:
    """Images in [-1, 1], from bytes or from [-1, 1]."""
    return images / 127.5 - 1 if images.dtype == torch.uint8 else images.float()


@torch.enable_grad()
def _fit(net: ConvClassifier, images: Tensor, labels: Tensor, places: Tensor, device: torch.device | str) -> None:
    batches = [places[batch] for batch in _batches(len(places))]
    offsets = _offsets(len(batches), images.shape[-1])
    optimiser = torch.optim.Adam(net.parameters(), _LEARNING_RATE)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE, total_steps=len(batches) + 1)
    for batch, (row, column) in zip(batches, offsets, strict=True):
        shifted = _shifted(scaled(images[batch].to(device)), row, column)
        loss = cross_entropy(net(shifted), labels[batch].to(device, torch.int64))
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        cycle.step()


def _batches(samples: int) -> Iterator[Tensor]:
    """The places of the images of each batch, over all epochs."""
    size = min(128 if samples >= 10_000 else 32, samples)
    for epoch in range(max(_EPOCHS, _LEAST_IMAGES // samples)):
        order = Randomness.of(_SEED).permutation("classifier's order", samples, epoch)
        yield from torch.split(order[: samples - samples % size], size)


def _reach(size: int) -> int:
    """How many pixels a shift spans at most, either way."""
    return max(1, size // 14)


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
