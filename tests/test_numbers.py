"""Numbers of one model and of each model of a stack."""

import pytest
import torch

from ebgan.numbers import is_used, per_model


@pytest.mark.parametrize("dims", [0, 1, 2, 4])
def test_a_number_of_each_model_meets_what_is_of_that_model(dims: int) -> None:
    values = torch.tensor([2.0, 3.0])
    product = per_model(values, dims) * torch.ones(2, *[5] * dims)
    assert [each.unique().tolist() for each in product] == [[2.0], [3.0]]


def test_a_number_of_one_model_stays_a_number() -> None:
    assert per_model(2.0, 3) == 2.0
    assert per_model(torch.tensor(2.0), 2).shape == (1, 1)


@pytest.mark.parametrize(("value", "used"), [(0, False), (0.0, False), (-0.0, False), (1e-30, True), (-1, True)])
def test_zero_alone_is_not_used(value: float, used: bool) -> None:
    assert is_used(value) is used


def test_numbers_of_a_stack_are_used_also_where_no_number_can_be_read() -> None:
    assert is_used(torch.tensor([0.0, 0.5]))
    assert is_used(torch.tensor([0.0, 0.5], device="meta"))
