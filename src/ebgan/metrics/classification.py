"""Measures of classification computed from a confusion matrix."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Integer
from torch import Tensor


def confusion_matrix(
    predicted: Integer[Tensor, " samples"], labels: Integer[Tensor, " samples"], classes: int
) -> Integer[Tensor, "classes classes"]:
    """The number of samples of each true class (row) that were predicted as each class (column)."""
    return torch.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


@dataclass(frozen=True)
class Classification:
    """A confusion matrix and measures computed from it, in types that JSON can store."""

    classes: tuple[str, ...]
    confusion: list[list[int]]  # [true][predicted]
    error: float  # share of samples with a wrong prediction
    precision: list[float]  # per class: share of its predictions that are right; 0 without predictions
    recall: list[float]  # per class: share of its samples that are predicted; 0 without samples
    f1: list[float]  # per class: the harmonic mean of both

    @classmethod
    def of(cls, confusion: Integer[Tensor, "classes classes"], classes: tuple[str, ...]) -> Classification:
        """Compute the measures of a confusion matrix."""
        right, counted = confusion.diagonal().double(), confusion.double()
        precision = right / counted.sum(0).clamp(min=1)
        recall = right / counted.sum(1).clamp(min=1)
        f1 = 2 * right / (counted.sum(0) + counted.sum(1)).clamp(min=1)
        error = 1 - float(right.sum() / counted.sum())
        return cls(classes, confusion.tolist(), error, precision.tolist(), recall.tolist(), f1.tolist())
