"""How well classes are told apart, all from the confusion matrix."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Integer
from torch import Tensor


def confusion_matrix(
    predicted: Integer[Tensor, " samples"], labels: Integer[Tensor, " samples"], classes: int
) -> Integer[Tensor, "classes classes"]:
    """How many samples of each class (row) were taken for each class (column)."""
    return torch.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


@dataclass(frozen=True)
class Classification:
    """A confusion matrix and what follows from it, in types that JSON has."""

    classes: tuple[str, ...]
    confusion: list[list[int]]  # [true][predicted]
    error: float  # share of samples taken for another class
    precision: list[float]  # of each class: share of what was taken for it that is of it; 0 if nothing was
    recall: list[float]  # of each class: share of it that was taken for it; 0 if there is none
    f1: list[float]  # of each class: the harmonic mean of both

    @classmethod
    def of(cls, confusion: Integer[Tensor, "classes classes"], classes: tuple[str, ...]) -> Classification:
        """The errors of a confusion matrix."""
        right, counted = confusion.diagonal().double(), confusion.double()
        precision = right / counted.sum(0).clamp(min=1)
        recall = right / counted.sum(1).clamp(min=1)
        f1 = 2 * right / (counted.sum(0) + counted.sum(1)).clamp(min=1)
        error = 1 - float(right.sum() / counted.sum())
        return cls(classes, confusion.tolist(), error, precision.tolist(), recall.tolist(), f1.tolist())
