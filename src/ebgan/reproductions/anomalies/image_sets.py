"""Digits that train and digits that test, in [0, 1], and images that are no digits of that set."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ebgan.data import open_data
from ebgan.randomness import Randomness
from ebgan.reproductions.claims import Request

LIMITS = (0.0, 1.0)
HELD_OUT = 297  # of scikit-learn's 1,797 digits, which have no test set


class Digits(NamedTuple):
    """Two sets of digits, and their classes."""

    train: Tensor  # [n, 1, H, W]
    classes: Tensor  # [n]
    test: Tensor  # [m, 1, H, W]
    tested: Tensor  # [m] classes


def opened(asked: Request) -> Digits:
    """MNIST, or the folder given; at scale tiny scikit-learn's digits."""
    if asked.scale == "tiny":
        images, classes = _read("digits", "train")
        return Digits(images[:-HELD_OUT], classes[:-HELD_OUT], images[-HELD_OUT:], classes[-HELD_OUT:])
    source = asked.data or "mnist"
    return Digits(*_read(source, "train"), *_read(source, "test"))


def _read(source: str, split: str) -> tuple[Tensor, Tensor]:
    packed = open_data(source, split=split)
    assert packed.labels is not None
    return torch.tensor(packed.images).float() / 255, torch.tensor(packed.labels).long()


def strangers(digits: Tensor, seed: int) -> dict[str, Tensor]:
    """By kind, images of the shape and number of digits [n, 1, H, W] that are none of them.

    A mirrored 0, 8 or 1 is a digit still, and a blend of two may be one: their AUROC cannot reach 1.
    """
    randomness = Randomness.of(seed)
    count, size = len(digits), digits.shape[-2:]
    others = digits[randomness.permutation("blend", count)]
    small = open_data("digits").images
    picked = torch.tensor(small)[randomness.permutation("enlarged", len(small)).repeat(-(-count // len(small)))[:count]]
    enlarged = interpolate(picked.float() / 255, size=tuple(size), mode="bilinear", align_corners=False)
    return {
        "constants": randomness.uniform("constant", count, 1, 1, 1).expand_as(digits),
        "noise": randomness.uniform("noise", *digits.shape),
        "mirrored": digits.flip(-1),
        "blends of two": (digits + others) / 2,
        "8x8 digits, enlarged": enlarged,
    }
