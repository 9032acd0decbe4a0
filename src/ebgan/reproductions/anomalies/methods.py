"""The compared detectors: ours, the same auto-encoder without a generator, and scikit-learn's.

Each takes training rows, test rows and a seed, and returns an anomaly score for each test row: higher is more
anomalous. Rows are standardised for all but the isolation forest. No detector is tuned for a table.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Method = Callable[[Floats, Floats, int], Floats]  # training rows, test rows, seed -> scores

NEIGHBOURS = 5
PLANE = 0.9  # share of the variance explained by the principal components that are kept


def ours(train: Floats, test: Floats, seed: int, **settings: Any) -> Floats:
    """The energy of `EnergyAnomalyDetector`, with its defaults except for `settings`."""
    from ebgan.detection.estimator import EnergyAnomalyDetector

    return -EnergyAnomalyDetector(random_state=seed, **settings).fit(train).score_samples(test)


def forest(train: Floats, test: Floats, seed: int) -> Floats:
    """IsolationForest with scikit-learn's defaults."""
    from sklearn.ensemble import IsolationForest

    return np.asarray(-IsolationForest(random_state=seed).fit(train).score_samples(test))


def outlier_factor(train: Floats, test: Floats, seed: int) -> Floats:  # noqa: ARG001
    """LocalOutlierFactor with novelty=True and 20 neighbours."""
    from sklearn.neighbors import LocalOutlierFactor

    train, test = standardised(train, test)
    neighbours = min(20, len(train) - 1)
    return np.asarray(-LocalOutlierFactor(n_neighbors=neighbours, novelty=True).fit(train).score_samples(test))


def support_vectors(train: Floats, test: Floats, seed: int) -> Floats:  # noqa: ARG001
    """OneClassSVM with scikit-learn's defaults."""
    from sklearn.svm import OneClassSVM

    train, test = standardised(train, test)
    return np.asarray(-OneClassSVM().fit(train).score_samples(test))


def plane(train: Floats, test: Floats, seed: int) -> Floats:
    """The distance from the plane of the principal components that explain 90 % of the variance."""
    from sklearn.decomposition import PCA

    train, test = standardised(train, test)
    fitted = PCA(n_components=PLANE, svd_solver="full", random_state=seed).fit(train)
    return np.asarray(np.linalg.norm(test - fitted.inverse_transform(fitted.transform(test)), axis=1))


def neighbour(train: Floats, test: Floats, seed: int) -> Floats:  # noqa: ARG001
    """The distance from the fifth nearest training row."""
    from sklearn.neighbors import NearestNeighbors

    train, test = standardised(train, test)
    count = min(NEIGHBOURS, len(train))
    return np.asarray(NearestNeighbors(n_neighbors=count).fit(train).kneighbors(test)[0][:, -1])


def standardised(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Both sets of rows, standardised by the mean and standard deviation of the training rows."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(train)
    return np.asarray(scaler.transform(train)), np.asarray(scaler.transform(test))


DEFAULT = "EnergyAnomalyDetector"
ALONE = "auto-encoder alone"
METHODS: dict[str, Method] = {
    DEFAULT: ours,
    ALONE: partial(ours, objective="autoencoder"),
    "IsolationForest": forest,
    "LOF": outlier_factor,
    "nearest neighbours": neighbour,
    "OneClassSVM": support_vectors,
    "PCA": plane,
}
WITHOUT_CHANCE = ("LOF", "nearest neighbours", "OneClassSVM", "PCA")  # deterministic for a given split
