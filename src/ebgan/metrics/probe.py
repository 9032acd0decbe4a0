"""A linear classifier on features: how much of the classes they tell (VGAN; Zhai et al., 2016, table 1)."""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float, Integer
from torch import Tensor

STEPS = 200  # of L-BFGS, at most


def probe_error(
    features: Float[Tensor, "samples features"],
    labels: Integer[Tensor, " samples"],
    test_features: Float[Tensor, "tests features"],
    test_labels: Integer[Tensor, " tests"],
) -> float:
    """The share of test images that logistic regression (scikit-learn's, C = 1) on standardised features names wrongly.

    Features that do not vary are left at 0.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=STEPS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of steps is part of the measure
        classifier.fit(features.numpy(), labels.numpy())
    return float(np.mean(classifier.predict(test_features.numpy()) != test_labels.numpy()))
