"""The inception score of Salimans et al. (2016), over parts of the samples."""

import pytest
import torch

from ebgan.errors import DataError
from ebgan.metrics import inception_score


def test_confident_predictions_of_each_class_score_the_number_of_classes() -> None:
    score, deviation = inception_score(torch.eye(7).repeat(10, 1))
    assert score == pytest.approx(7)
    assert deviation == pytest.approx(0)


def test_predictions_that_are_all_alike_score_1() -> None:
    assert inception_score(torch.full((50, 4), 0.25)) == (1, 0)


def test_parts_are_scored_apart() -> None:
    several_then_one = torch.cat((torch.eye(4), torch.eye(4)[:1].repeat(4, 1)))
    assert inception_score(several_then_one, splits=2) == pytest.approx((2.5, 1.5))
    assert inception_score(several_then_one, splits=1)[0] == pytest.approx(8 / 5**0.625, rel=1e-6)


def test_fewer_samples_than_parts_are_refused() -> None:
    with pytest.raises(DataError, match="9 samples: an inception score needs at least 10"):
        inception_score(torch.eye(9))


@pytest.mark.parametrize(
    "rows",
    [
        torch.full((20, 4), torch.nan),
        torch.full((20, 4), torch.inf),
        torch.zeros(20, 4),
        -torch.ones(20, 4),
        torch.cat((torch.ones(19, 4), torch.full((1, 4), torch.nan))),
        torch.randn(20, 4, generator=torch.Generator().manual_seed(0)),
    ],
)
def test_rows_that_are_no_probabilities_have_no_score(rows: torch.Tensor) -> None:
    with pytest.raises(DataError, match="probabilities"):
        inception_score(rows)
