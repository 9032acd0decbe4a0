"""How well a score ranks anomalies above normal images."""

from __future__ import annotations

from jaxtyping import Bool, Float, Integer
from torch import Tensor

from ebgan.errors import DataError


def auroc(scores: Float[Tensor, " images"], labels: Integer[Tensor, " images"] | Bool[Tensor, " images"]) -> float:
    """The chance that an anomaly (label 1) scores above a normal image (label 0): 0.5 for a guess, 1 at best.

    Raises DataError where the labels hold one class alone, or a score is not finite.
    """
    from sklearn.metrics import roc_auc_score  # takes a second, so only where it is used

    kinds = set(labels.tolist())
    if kinds != {0, 1}:
        raise DataError(
            f"AUROC: the labels are {sorted(kinds)}, but it compares 0 (normal) with 1 (anomaly); "
            "label images of both kinds."
        )
    if not scores.isfinite().all():
        raise DataError("AUROC: some scores are NaN or infinite, so they have no rank; check the images and the run.")
    return float(roc_auc_score(labels.cpu().numpy(), scores.detach().cpu().numpy()))
