"""A share is told with the number that it is of, and its interval."""

import pytest
from scipy.stats import binomtest

from ebgan.report import counted
from ebgan.report.interval import wilson


@pytest.mark.parametrize(
    ("hits", "count"),
    [(4, 12), (0, 6), (6, 6), (1, 1), (0, 1), (104, 10_000), (1, 2), (500, 1_000), (9, 9_999), (3, 4)],
)
def test_the_interval_is_wilsons(hits: int, count: int) -> None:
    known = binomtest(hits, count).proportion_ci(method="wilson")
    assert wilson(hits, count) == pytest.approx((known.low, known.high), abs=1e-6)


def test_of_nothing_counted_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_words_have_more_digits_where_the_interval_is_narrow() -> None:
    assert counted(4, 12) == "4 of 12, 95 % interval 13.8 to 60.9 %"
    assert counted(104, 10_000) == "104 of 10,000, 95 % interval 0.86 to 1.26 %"
