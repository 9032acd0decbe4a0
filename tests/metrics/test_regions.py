"""The per-region overlap: by hand, against every threshold, and that small regions count as much as large ones."""

import numpy as np
import pytest

from ebgan.errors import DataError
from ebgan.metrics.regions import region_overlap


def masks() -> np.ndarray:
    """Two images of 8x8: one with a region of 1 and one of 9 pixels, one with none."""
    found = np.zeros((2, 8, 8), bool)
    found[0, 0, 0] = found[0, 3:6, 3:6] = True
    return found


def by_hand(scores: np.ndarray, limit: float) -> float:
    """The curve over all thresholds, integrated on a fine grid."""
    small, large, outside = np.zeros((3, 2, 8, 8), bool)
    small[0, 0, 0], large[0, 3:6, 3:6] = True, True
    outside = ~(small | large)
    curve = [(0.0, 0.0)]
    for threshold in np.unique(scores)[::-1]:
        hit = scores >= threshold
        curve.append((float(hit[outside].mean()), float((hit[small].mean() + hit[large].mean()) / 2)))
    grid = np.linspace(0, limit, 100_001)
    return float(np.interp(grid, *map(np.array, zip(*curve, strict=True))).mean())


def test_the_masks_themselves_are_perfect_and_their_opposite_finds_nothing() -> None:
    assert region_overlap(masks().astype(float), masks()) == pytest.approx(1, abs=1e-2)
    assert region_overlap(1 - masks().astype(float), masks()) == pytest.approx(0)


@pytest.mark.parametrize("limit", [0.1, 0.3, 1.0])
def test_it_is_the_area_under_the_curve_over_all_thresholds(limit: float) -> None:
    scores = np.random.default_rng(0).normal(size=(2, 8, 8)).round(1) + masks()
    assert region_overlap(scores, masks(), limit) == pytest.approx(by_hand(scores, limit), abs=2e-3)


def test_half_is_missed_where_one_of_two_regions_is_however_small() -> None:
    for missed in ((0, 0, 0), (0, slice(3, 6), slice(3, 6))):
        scores = masks().astype(float)
        scores[missed] = -1
        assert region_overlap(scores, masks()) == pytest.approx(0.5, abs=1e-2)


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    joined = np.zeros((1, 4, 4), bool)
    joined[0, 0, 0] = joined[0, 1, 1] = joined[0, 3, 3] = True
    scores = np.where(joined, 1.0, 0.0)
    scores[0, 3, 3] = -1
    assert region_overlap(scores, joined) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("scores", "marked"),
    [
        (np.zeros((1, 2, 2)), np.zeros((1, 2, 2), bool)),
        (np.zeros((1, 2, 2)), np.ones((1, 2, 2), bool)),
        (np.zeros((1, 2, 3)), np.eye(2, dtype=bool)[None]),
        (np.full((1, 2, 2), np.nan), np.eye(2, dtype=bool)[None]),
    ],
)
def test_masks_and_scores_that_cannot_be_compared_are_refused(scores: np.ndarray, marked: np.ndarray) -> None:
    with pytest.raises(DataError):
        region_overlap(scores, marked)
