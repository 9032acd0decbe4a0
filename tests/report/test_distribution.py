"""Histograms in the published panel's bins, and what the published heights say."""

import math

import pytest

from ebgan.recipes.mnist_grid import PUBLISHED
from ebgan.report.distribution import BINS, WIDTH, effect, heights, histograms, published_shares


def test_bins_are_the_published_ones_and_reach_the_most_that_a_score_can_be() -> None:
    assert pytest.approx(0.077, abs=5e-4) == WIDTH
    assert (BINS - 1) * WIDTH < math.log(10) <= BINS * WIDTH


def test_heights_are_the_shares_of_scores_in_each_bin() -> None:
    found = heights([0.0, 0.05, 0.08, math.log(10), 5.0])
    assert (found[0], found[1], found[-1]) == (0.4, 0.2, 0.4)
    assert found.sum() == pytest.approx(1)
    assert heights([]).sum() == 0


@pytest.mark.parametrize(
    ("family", "bound", "below", "above"),
    [("EBGAN", 0.23, 0.62, 0.37), ("EBGAN", 0.5, 0.71, 0.29), ("EBGAN", 1.0, 0.79, 0.20), ("GAN", 0.23, 0.91, 0.07)],
)
def test_the_published_heights_give_the_shares_that_they_are_known_for(
    family: str, bound: float, below: float, above: float
) -> None:
    assert published_shares(PUBLISHED[family], bound) == pytest.approx((below, above), abs=0.015)
    assert sum(PUBLISHED[family]) == pytest.approx(100, abs=2)


def test_a_histogram_names_each_family_with_its_size_and_the_papers() -> None:
    svg = histograms({"EBGAN": [1.0, 2.0], "GAN": [0.1]}, {"EBGAN": PUBLISHED["EBGAN"]})
    for words in ("EBGAN, 2", "EBGAN, paper", "GAN, 1"):
        assert words in svg
    assert "GAN, paper" not in svg.replace("EBGAN, paper", "")
    assert histograms({"GAN": []}, {}) == ""


def test_a_familys_colour_does_not_depend_on_whether_others_have_the_axis() -> None:
    both = effect(["2", "4"], {"EBGAN": [1.0, 2.0], "GAN": [0.5, None]})
    one = effect(["2"], {"EBGAN": [], "GAN": [1.0]})
    assert "#dd7a10" in both
    assert "#2f7fc1" in both
    assert "#dd7a10" in one
    assert "#2f7fc1" not in one
