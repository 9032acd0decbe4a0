"""Baselines for few labels: the errors of classifiers trained only on the labelled images."""

from __future__ import annotations

import warnings

from jaxtyping import Integer, UInt8
from torch import Tensor

_HIDDEN = (500, 250)


def baseline_errors(
    images: UInt8[Tensor, "samples C H W"],
    labels: Integer[Tensor, " samples"],
    test_images: UInt8[Tensor, "tests C H W"],
    test_labels: Integer[Tensor, " tests"],
) -> dict[str, float]:
    """The test errors of scikit-learn's support vector machine and of its net with two hidden layers."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC

    learners = {
        "test_error_svm": SVC(C=10.0),
        "test_error_mlp": MLPClassifier(_HIDDEN, random_state=0),
    }
    x, tests = (each.flatten(1).numpy() / 255 for each in (images, test_images))
    errors = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for name, learner in learners.items():
            named = learner.fit(x, labels.numpy()).predict(tests)
            errors[name] = float((named != test_labels.numpy()).mean())
    return errors
