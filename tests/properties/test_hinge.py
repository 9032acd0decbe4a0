"""The hinge over energies and margins of all kinds."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ebgan.objectives.terms import below, hinge

MARGINS = st.floats(-100, 100)
BATCHES = st.lists(st.floats(-100, 100), min_size=1, max_size=8)


def energies(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def hinged(margin: float, values: list[float]) -> float:
    return hinge(margin, energies(values)).item()


@given(MARGINS, BATCHES)
def test_it_is_0_exactly_where_no_energy_lies_below_the_margin(margin: float, values: list[float]) -> None:
    assert (hinged(margin, values) == 0) == (min(values) >= margin)
    assert (below(margin, energies(values)).item() == 0) == (min(values) >= margin)


@given(MARGINS, BATCHES)
def test_it_lies_between_the_hinge_of_the_mean_and_that_of_the_lowest(margin: float, values: list[float]) -> None:
    """Jensen: a hinge of the batch's mean, as several reimplementations have it, is too small."""
    assert max(margin - sum(values) / len(values), 0.0) - 1e-9 <= hinged(margin, values)
    assert hinged(margin, values) <= max(margin - min(values), 0.0) + 1e-9


@given(MARGINS, BATCHES, st.floats(-100, 100))
def test_a_shift_of_margin_and_energies_together_is_nothing_to_it(
    margin: float, values: list[float], by: float
) -> None:
    shifted = hinged(margin + by, [value + by for value in values])
    assert shifted == pytest.approx(hinged(margin, values), rel=1e-9, abs=1e-9)


@given(MARGINS, st.floats(0, 50), BATCHES)
def test_a_higher_margin_raises_it_by_no_more_than_the_difference(
    margin: float, rise: float, values: list[float]
) -> None:
    low, high = hinged(margin, values), hinged(margin + rise, values)
    assert low <= high <= low + rise + 1e-9


@given(MARGINS, BATCHES)
def test_its_slope_is_minus_the_share_of_each_energy_below_the_margin(margin: float, values: list[float]) -> None:
    energy = energies(values).requires_grad_()
    (slope,) = torch.autograd.grad(hinge(margin, energy), energy)
    torch.testing.assert_close(slope, -(energy.detach() < margin).double() / len(values))
