"""The modified inception score I' of EBGAN, section 4.1: its two orders, their ranges, and the published panel."""

import math

import pytest
import torch

from ebgan.metrics import modified_inception_score

ONE_HOT = torch.eye(10).repeat(7, 1)
END_OF_THE_HISTOGRAM = 1.92  # where the x-axis of figures 2 and 3 ends


def confident(epsilon: float) -> torch.Tensor:
    """Predictions (1 - 9 e, e, ..., e), each class in its turn."""
    return torch.full((10, 10), epsilon, dtype=torch.float64).fill_diagonal_(1 - 9 * epsilon)


@pytest.mark.parametrize("swapped", [False, True])
def test_samples_that_are_all_alike_score_zero(swapped: bool) -> None:
    row = torch.tensor([0.1, 0.7, 0.2])
    assert modified_inception_score(row.expand(50, 3), swapped=swapped).item() == pytest.approx(0, abs=1e-12)


def test_balanced_one_hot_predictions_reach_the_logarithm_of_the_class_count_in_the_usual_order() -> None:
    assert modified_inception_score(ONE_HOT).item() == pytest.approx(math.log(10))


def test_balanced_one_hot_predictions_are_infinite_in_the_swapped_order_without_a_floor() -> None:
    assert modified_inception_score(ONE_HOT, swapped=True).item() == math.inf


def test_a_floor_makes_the_swapped_order_of_one_hot_predictions_finite() -> None:
    score = modified_inception_score(ONE_HOT, swapped=True, floor=1e-4).item()
    sure = 1 / 1.0009  # raised to the floor, then divided by the sum
    assert score == pytest.approx(-math.log(10) - 0.1 * math.log(sure) - 0.9 * math.log(1e-4 * sure))


@pytest.mark.parametrize("epsilon", [1e-2, 1e-4, 1e-6])
def test_confident_predictions_give_the_closed_form_of_the_swapped_order(epsilon: float) -> None:
    expected = -math.log(10) - 0.1 * math.log(1 - 9 * epsilon) - 0.9 * math.log(epsilon)
    assert modified_inception_score(confident(epsilon), swapped=True).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("floor", [0.0, 1e-4])
def test_confident_predictions_with_epsilon_one_in_ten_thousand_give_5_987(floor: float) -> None:
    assert modified_inception_score(confident(1e-4), swapped=True, floor=floor).item() == pytest.approx(5.987, abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_both_orders_are_at_least_zero_and_the_usual_one_at_most_the_logarithm(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(400, 10, generator=generator) * 10 ** (seed - 2)
    probabilities = logits.softmax(-1)
    assert modified_inception_score(probabilities, swapped=True).item() >= 0
    assert 0 <= modified_inception_score(probabilities).item() <= math.log(10)


def test_the_published_range_fits_the_usual_order_and_not_the_swapped_one() -> None:
    # Nine of ten sure and right, the rest spread: what decent digits give to a good classifier.
    predictions = torch.cat((confident(1e-4).repeat(9, 1), torch.full((10, 10), 0.1, dtype=torch.float64)))
    assert 1.9 < modified_inception_score(predictions).item() < math.log(10)
    assert modified_inception_score(predictions, swapped=True).item() > 2 * END_OF_THE_HISTOGRAM


def test_the_score_does_not_depend_on_the_order_of_samples_or_classes() -> None:
    probabilities = torch.rand(30, 4, generator=torch.Generator().manual_seed(0))
    shuffled = probabilities.flip(0)[:, [2, 0, 3, 1]]
    for swapped in (False, True):
        expected = modified_inception_score(probabilities, swapped=swapped)
        torch.testing.assert_close(modified_inception_score(shuffled, swapped=swapped), expected)
