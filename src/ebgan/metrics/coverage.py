"""The classes of samples: a collapsed generator misses some."""

from __future__ import annotations

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from ebgan.errors import DataError


def class_histogram(labels: Integer[Tensor, " samples"], classes: int) -> Float[Tensor, " classes"]:
    """The share of each class among the labels, in float64. Raises DataError for a label outside [0, classes)."""
    if not len(labels) or labels.min() < 0 or labels.max() >= classes:
        raise DataError(f"class_histogram: expected one label or more, all in [0, {classes}); check `classes`.")
    return torch.bincount(labels, minlength=classes).double() / len(labels)


def classes_covered(histogram: Float[Tensor, " classes"], least: float = 0.02) -> float:
    """The share of classes that make up at least `least` of the samples."""
    return float((histogram >= least).double().mean())
