"""The average forgets half of what it held in each half-life of images seen, however these are divided into steps."""

import pytest
import torch

from ebgan.training.ema import Average


@pytest.mark.parametrize("steps", [1, 4, 100])
def test_half_of_the_old_is_left_after_a_half_life(steps: int) -> None:
    average = Average({"weight": torch.zeros(3, dtype=torch.float64)}, half_life=400)
    for _ in range(steps):
        average.follow({"weight": torch.ones(3, dtype=torch.float64)}, 400 // steps)
    torch.testing.assert_close(average.tensors["weight"], torch.full((3,), 0.5, dtype=torch.float64))


def test_a_quarter_is_left_after_two() -> None:
    average = Average({"weight": torch.tensor(8.0)}, half_life=10)
    average.follow({"weight": torch.tensor(0.0)}, 20)
    assert average.tensors["weight"] == 2


def test_counts_are_taken_as_they_are() -> None:
    average = Average({"seen": torch.tensor(3)}, half_life=10)
    average.follow({"seen": torch.tensor(7)}, 1)
    assert average.tensors["seen"] == 7


def test_an_average_begins_with_the_weights_and_holds_them_apart() -> None:
    weight = torch.ones(2, requires_grad=True)
    average = Average({"weight": weight}, half_life=10)
    with torch.no_grad():
        weight.zero_()
    assert torch.equal(average.tensors["weight"], torch.ones(2))
    average.follow({"weight": weight}, 10)
    assert not average.tensors["weight"].requires_grad
