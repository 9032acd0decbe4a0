"""Histograms in the published panel's bins, and what the published heights say."""

import itertools
import math

import pytest

from ebgan.recipes.grid_figures import FIGURES
from ebgan.report.distribution import EVEN, Bins, Histogram, effect, even_bins, heights, histograms


def test_bins_are_the_published_ones_and_reach_the_most_that_a_score_can_be() -> None:
    assert FIGURES.edges[1] == pytest.approx(0.077, abs=5e-4)
    assert FIGURES.edges[25] == pytest.approx(1.92)
    assert FIGURES.edges[-2] < math.log(10) <= FIGURES.edges[-1]


def test_heights_are_the_shares_of_scores_in_each_bin() -> None:
    found = heights([0.0, 0.05, 0.08, math.log(10), 5.0], FIGURES.edges)
    assert (found[0], found[1], found[-1]) == (0.4, 0.2, 0.4)
    assert len(found) == len(FIGURES.edges) - 1
    assert found.sum() == pytest.approx(1)
    assert heights([], FIGURES.edges).sum() == 0


@pytest.mark.parametrize(
    "scores", [[], [3.0], [3.0, 3.0], [-2.0, 5.0], [0.1, 0.2, 0.9], [-1e300, 1e300], [1e300], [0.0, 5e-324]]
)
def test_even_bins_hold_every_score(scores: list[float]) -> None:
    edges = even_bins(scores, "score").edges
    assert len(edges) == EVEN + 1
    assert all(one <= other for one, other in itertools.pairwise(edges))
    assert heights(scores, edges).sum() == pytest.approx(float(bool(scores)))
    assert bool(histograms(Histogram("", {"GAN": scores}, {}, even_bins(scores, "score")))) is bool(scores)


def test_scores_of_any_kind_have_a_histogram() -> None:
    drawn = Histogram("All trials", {"GAN": [-40.0, -3.0]}, {}, even_bins([-40.0, -3.0], "score"))
    assert "GAN, 2" in histograms(drawn)


@pytest.mark.parametrize(
    ("family", "bound", "below", "above"),
    [("EBGAN", 0.23, 0.62, 0.37), ("EBGAN", 0.5, 0.71, 0.29), ("EBGAN", 1.0, 0.79, 0.20), ("GAN", 0.23, 0.91, 0.07)],
)
def test_the_published_heights_give_the_shares_that_they_are_known_for(
    family: str, bound: float, below: float, above: float
) -> None:
    assert FIGURES.shares(family, bound) == pytest.approx((below, above), abs=0.015)
    assert sum(FIGURES.heights[family]) == pytest.approx(100, abs=2)


def test_a_histogram_names_each_family_with_its_size_and_the_papers() -> None:
    bins = Bins(FIGURES.edges, "I'")
    known = {"EBGAN": FIGURES.heights["EBGAN"]}
    svg = histograms(Histogram("", {"EBGAN": [1.0, 2.0], "GAN": [0.1]}, known, bins))
    for words in ("EBGAN, 2", "EBGAN, paper", "GAN, 1"):
        assert words in svg
    assert "GAN, paper" not in svg.replace("EBGAN, paper", "")
    assert histograms(Histogram("", {"GAN": []}, {}, bins)) == ""


def test_a_familys_colour_does_not_depend_on_whether_others_have_the_axis() -> None:
    both = effect(["2", "4"], {"EBGAN": [1.0, 2.0], "GAN": [0.5, None]})
    one = effect(["2"], {"EBGAN": [], "GAN": [1.0]})
    assert "#dd7a10" in both
    assert "#2f7fc1" in both
    assert "#dd7a10" in one
    assert "#2f7fc1" not in one
