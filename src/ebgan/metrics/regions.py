"""How well a map of scores finds the defective regions of images: the per-region overlap (Bergmann et al., 2021).

    PRO(t)    the mean over all regions, the connected parts of the masks, of the share of a region scored t or more
    FPR(t)    the share of the pixels outside all masks that is scored t or more
    result    the area under PRO over FPR from 0 to `limit`, divided by `limit`: 1 at best

A small region counts as much as a large one. Pixels that touch at a corner are connected.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ebgan.errors import DataError

LIMIT = 0.3  # the paper's


def region_overlap(scores: NDArray[np.float64], masks: NDArray[np.bool_], limit: float = LIMIT) -> float:
    """The area under the curve of per-region overlap, of maps and masks [n, H, W].

    Raises DataError where the masks mark nothing or everything, or a score is not finite.
    """
    if scores.shape != masks.shape or not masks.any() or masks.all():
        raise DataError(
            f"masks {list(masks.shape)} of scores {list(scores.shape)}: expected the same shape, some pixels "
            "marked and some not"
        )
    if not np.isfinite(scores).all():
        raise DataError("per-region overlap: some scores are NaN or infinite; check the images and the run")
    flat = scores.ravel()
    order = np.argsort(-flat, kind="stable")
    last = np.append(np.flatnonzero(np.diff(flat[order])), len(flat) - 1)  # of the pixels that score the same
    overlap = np.cumsum(_weights(masks).ravel()[order])[last]
    outside = (~masks).ravel()[order]
    false = np.cumsum(outside)[last] / outside.sum()
    return _area(np.append(0, false), np.append(0, overlap), limit)


def _weights(masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """For each marked pixel one over the pixels of its region and over the number of regions; 0 elsewhere."""
    from scipy.ndimage import label

    weights, regions = np.zeros(masks.shape), 0
    for mask, weight in zip(masks, weights, strict=True):
        parts, count = label(mask, np.ones((3, 3)))
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        weight[mask] = 1 / sizes[parts[mask]]
        regions += count
    return weights / regions


def _area(across: NDArray[np.float64], up: NDArray[np.float64], limit: float) -> float:
    """The mean height of a curve between 0 and the limit."""
    inside = across < limit
    ends = np.append(across[inside], limit), np.append(up[inside], np.interp(limit, across, up))
    x, y = ends
    return float((np.diff(x) * (y[1:] + y[:-1])).sum() / (2 * limit))
