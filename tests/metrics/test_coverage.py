import pytest
import torch

from ebgan.errors import DataError
from ebgan.metrics import class_histogram, classes_covered


def test_the_histogram_holds_the_share_of_each_class_also_of_those_that_are_missing() -> None:
    assert class_histogram(torch.tensor([0, 2, 2, 2]), 4).tolist() == [0.25, 0, 0.75, 0]


@pytest.mark.parametrize("labels", [torch.tensor([0, 3]), torch.tensor([-1, 0]), torch.tensor([], dtype=torch.int64)])
def test_labels_outside_the_classes_are_refused(labels) -> None:
    with pytest.raises(DataError, match=r"\[0, 3\)"):
        class_histogram(labels, 3)


def test_a_class_is_covered_from_two_percent_on() -> None:
    histogram = torch.tensor([0.02, 0.0199, 0.9601, 0.0])
    assert classes_covered(histogram) == 0.5
    assert classes_covered(histogram, least=0.5) == 0.25
