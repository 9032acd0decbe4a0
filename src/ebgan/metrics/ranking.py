"""Measures of how well a score ranks anomalies above normal images."""

from __future__ import annotations

from jaxtyping import Bool, Float, Integer
from torch import Tensor

from ebgan.errors import DataError


def auroc(scores: Float[Tensor, " images"], labels: Integer[Tensor, " images"] | Bool[Tensor, " images"]) -> float:
    """The probability that an anomaly (label 1) scores above a normal image (label 0): 0.5 at random, 1 at best.

    Raises DataError if only one kind of label occurs, or a score is not finite.
    """
    from sklearn.metrics import roc_auc_score  # takes a second, so only where it is used

    _check("AUROC", scores, labels)
    return float(roc_auc_score(labels.cpu().numpy(), scores.detach().cpu().numpy()))


def average_precision(
    scores: Float[Tensor, " images"], labels: Integer[Tensor, " images"] | Bool[Tensor, " images"]
) -> float:
    """The mean over anomalies (label 1) of the share of anomalies among all images that score as high: 1 at best.

    At random it is the share of anomalies among all images. Raises DataError as `auroc` does.
    """
    from sklearn.metrics import average_precision_score

    _check("average precision", scores, labels)
    return float(average_precision_score(labels.cpu().numpy(), scores.detach().cpu().numpy()))


def _check(what: str, scores: Tensor, labels: Tensor) -> None:
    kinds = set(labels.tolist())
    if kinds != {0, 1}:
        raise DataError(
            f"{what}: the labels are {sorted(kinds)}, but it compares 0 (normal) with 1 (anomaly); "
            "label images of both kinds."
        )
    if not scores.isfinite().all():
        raise DataError(f"{what}: some scores are NaN or infinite, so they have no rank; check the images and the run.")
