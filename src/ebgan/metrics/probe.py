"""A linear classifier that measures how well features separate classes (VGAN; Zhai et al., 2016, table 1)."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor

STEPS = 200  # of L-BFGS, at most
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # scikit-learn's C, the inverse of the weight decay


class LabelledFeatures(NamedTuple):
    """Features and their labels."""

    features: Float[Tensor, "samples features"]
    labels: Integer[Tensor, " samples"]


class Probe(NamedTuple):
    """The result of a linear classifier."""

    error: float  # error rate on the test images
    strength: float  # C, chosen on the validation images


def probe(train: LabelledFeatures, validation: LabelledFeatures, test: LabelledFeatures) -> Probe:
    """Logistic regression (scikit-learn's) on standardised features.

    C is chosen from `STRENGTHS` by the validation images; then the classifier is trained on training and validation
    images. Constant features become 0.
    """
    strength = min(STRENGTHS, key=lambda each: _error(train, validation, each))
    both = LabelledFeatures(*(torch.cat(each) for each in zip(train, validation, strict=True)))
    return Probe(_error(both, test, strength), strength)


def _error(train: LabelledFeatures, test: LabelledFeatures, strength: float) -> float:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=STEPS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of steps is part of the measure
        classifier.fit(train.features.numpy(), train.labels.numpy())
    return float(np.mean(classifier.predict(test.features.numpy()) != test.labels.numpy()))
