import pytest
import torch

from ebgan.errors import DataError
from ebgan.metrics import auroc, average_precision


def test_scores_that_part_the_kinds_reach_one_and_their_opposites_zero() -> None:
    scores, labels = torch.tensor([0.1, 0.2, 5.0, 7.0]), torch.tensor([0, 0, 1, 1])
    assert auroc(scores, labels) == 1
    assert auroc(-scores, labels) == 0


def test_the_area_is_the_share_of_pairs_in_order_and_ties_count_half() -> None:
    assert auroc(torch.tensor([1.0, 3.0, 2.0, 3.0]), torch.tensor([False, False, True, True])) == (1 + 0 + 1 + 0.5) / 4


@pytest.mark.parametrize("labels", [torch.zeros(3).long(), torch.ones(3).long(), torch.tensor([0, 1, 2])])
def test_labels_of_one_kind_alone_or_of_more_than_two_are_refused(labels) -> None:
    with pytest.raises(DataError, match="label images of both kinds"):
        auroc(torch.rand(3), labels)


def test_a_score_that_is_not_finite_has_no_rank() -> None:
    with pytest.raises(DataError, match="NaN or infinite"):
        auroc(torch.tensor([0.0, torch.nan]), torch.tensor([0, 1]))


def test_average_precision_is_the_mean_share_of_anomalies_above_each_of_them() -> None:
    scores, labels = torch.tensor([4.0, 3.0, 2.0, 1.0]), torch.tensor([1, 0, 1, 0])
    assert average_precision(scores, labels) == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_average_precision_needs_both_kinds_and_numbers() -> None:
    with pytest.raises(DataError, match="average precision: the labels"):
        average_precision(torch.rand(3), torch.zeros(3).long())
    with pytest.raises(DataError, match="average precision: some scores"):
        average_precision(torch.tensor([0.0, torch.inf]), torch.tensor([0, 1]))
