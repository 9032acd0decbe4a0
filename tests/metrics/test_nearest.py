import pytest
import torch
from torch import Tensor

from ebgan.errors import DataError
from ebgan.metrics import nearest

SET = torch.tensor([[0.0, 0], [3, 4], [3, 5], [10, 0]])


def pieces(size: int) -> tuple[Tensor, ...]:
    return torch.split(SET, size)


@pytest.mark.parametrize("size", [1, 3, 4])
def test_the_nearest_row_is_found_in_whichever_piece_it_lies(size: int) -> None:
    found = nearest(torch.tensor([[1.0, 0], [3, 4.75], [10, 0]]), pieces(size))
    assert found.place.tolist() == [0, 2, 3]
    assert found.distance.tolist() == pytest.approx([1, 0.25, 0])


@pytest.mark.parametrize("size", [1, 3, 4])
def test_a_row_of_the_set_is_not_its_own_neighbour(size: int) -> None:
    found = nearest(SET, pieces(size), torch.arange(4))
    assert found.place.tolist() == [1, 2, 1, 1]
    assert found.distance.tolist() == pytest.approx([5, 1, 1, 65**0.5])


def test_a_row_that_comes_from_elsewhere_may_be_any_row_s_neighbour() -> None:
    assert nearest(SET[:2], pieces(2), torch.tensor([-1, 1])).place.tolist() == [0, 2]


def test_a_copy_is_at_no_distance_though_the_numbers_are_large() -> None:
    rows = torch.rand(20, 3000, generator=torch.Generator().manual_seed(0)) + 100
    found = nearest(rows[3:5], [rows])
    assert found.place.tolist() == [3, 4]
    assert found.distance.max() < 0.001


def test_rows_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="nearest neighbours: some samples are NaN"):
        nearest(torch.tensor([[torch.nan, 0]]), pieces(2))
