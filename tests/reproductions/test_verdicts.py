"""A claim is judged with its spread: yes, no, or cannot tell."""

import math
from collections.abc import Sequence

import pytest
from scipy.stats import ttest_ind, ttest_rel

from ebgan.reproductions.claims import Claim
from ebgan.reproductions.verdicts import Share, at_least, below, below_in_pairs, holds_of_each, rarer, within


@pytest.mark.parametrize(
    ("less", "more", "holds"),
    [
        ([6.81], [6.81], None),
        ([10.19], [10.37], None),  # one seed of each, whatever the difference
        ([1.0], [100.0], None),
        ([6.81, 6.81], [6.81, 6.81], None),
        ([1.0, 1.0], [2.0, 2.0], None),  # two that agree say nothing of the spread
        ([71.9, 79.05], [74.07, 80.83], None),
        ([1.0, 1.1, 0.9], [2.0, 2.1, 1.9], True),
        ([2.0, 2.1, 1.9], [1.0, 1.1, 0.9], False),
        ([1.0, 1.0, 1.0], [2.0, 2.0, 2.0], True),
        ([1.0, 3.0, 2.0], [2.0, 2.1, 2.2], None),
        ([math.nan, 1.0, 1.0], [2.0, 2.0, 2.0], None),
        ([1.0, 1.1, 0.9], [2.0], None),
    ],
)
def test_a_mean_is_lower_only_beyond_the_error_of_the_difference(
    less: Sequence[float], more: Sequence[float], holds: bool | None
) -> None:
    assert below(less, more).holds is holds


def test_the_bound_of_a_verdict_is_that_of_welchs_and_of_the_paired_test() -> None:
    less, more = [1.0, 1.3, 1.1, 0.8], [1.0, 1.2, 1.4, 1.6, 1.5]
    for step in range(20):
        moved = [each + step / 20 for each in more]
        p = ttest_ind(moved, less, equal_var=False).pvalue
        assert below(less, moved).holds is (True if p < 0.05 else None)
        p = ttest_rel(moved[:4], less).pvalue
        assert below_in_pairs(less, moved[:4]).holds is (True if p < 0.05 else None)


def test_pairs_that_agree_tell_what_means_of_different_seeds_do_not() -> None:
    less, more = [1.0, 5.0, 9.0], [1.1, 5.12, 9.09]
    assert below(less, more).holds is None
    assert below_in_pairs(less, more).holds is True
    assert below_in_pairs(less, more).words() == "n = 3 seeds in pairs, difference +0.103, standard error 0.0088"


@pytest.mark.parametrize(
    ("values", "holds"),
    [([8.0, 8.0, 8.0], True), ([7.0, 8.0, 7.0], None), ([8.0], None), ([3.0, 4.0, 3.5], False), ([7.0] * 3, None)],
)
def test_a_mean_is_at_least_a_bound_only_beyond_its_error(values: list[float], holds: bool | None) -> None:
    assert within(values, low=7).holds is holds


def test_a_mean_is_within_a_range_if_it_is_clear_of_both_ends() -> None:
    assert [within([x - 0.01, x, x + 0.01], 0, 1).holds for x in (-0.5, 0.0, 0.5, 0.99, 1.5)] == [
        *(False, None, True, None, False)
    ]


@pytest.mark.parametrize(
    ("less", "more", "holds"),
    [
        (Share(0, 1), Share(1, 1), None),
        (Share(0, 5), Share(5, 5), True),
        (Share(0, 208), Share(0, 208), None),
        (Share(10, 100), Share(12, 100), None),
        (Share(10, 100), Share(40, 100), True),
        (Share(40, 100), Share(10, 100), False),
    ],
)
def test_a_share_is_lower_only_beyond_its_error(less: Share, more: Share, holds: bool | None) -> None:
    assert rarer(less, more).holds is holds


def test_a_share_of_one_trial_reaches_no_bound() -> None:
    assert [at_least(Share(n, n), 0.2).holds for n in (1, 100)] == [None, True]
    assert at_least(Share(0, 100), 0.2).holds is False


def test_what_is_claimed_of_every_run_is_refuted_by_one() -> None:
    assert [holds_of_each(met)[0] for met in ([True], [False], [True, False], [True, True])] == [
        None,
        False,
        False,
        True,
    ]
    assert holds_of_each([True, False])[1] == "n = 2 seeds, 1 of 2"


def test_words_state_the_number_the_difference_and_its_error() -> None:
    assert below([1.0], [2.0], "run").words() == "n = 1 run, difference +1, error not known"
    assert below([1.0, 2.0], [4.0, 5.0, 6.0]).words() == "n = 2 and 3 seeds, difference +3.5, standard error 0.76"


def test_at_scale_tiny_nothing_is_judged() -> None:
    claims = [Claim("c", "e", "m", holds, "n = 3 seeds") for holds in (True, False, None)]
    assert {claim.verdict("tiny")[0] for claim in claims} == {"not judged"}
    assert [claim.verdict("cpu") for claim in claims] == [
        *(("yes", "n = 3 seeds"), ("no", "n = 3 seeds"), ("cannot tell", "n = 3 seeds"))
    ]
