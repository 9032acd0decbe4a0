"""Schedules at every moment."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ebgan.schedules import Linear, Steps

VALUES = st.floats(-1e3, 1e3, width=32)
IMAGES = st.integers(0, 2**40)


@given(VALUES, VALUES, st.integers(0, 10**6), st.integers(1, 10**6), IMAGES)
def test_a_line_stays_between_its_ends_and_is_level_outside_of_them(
    start: float, end: float, begin: int, length: int, images: int
) -> None:
    line = Linear(start=start, end=end, begin=begin, finish=begin + length)
    value = line.at(torch.tensor(images)).item()
    slack = 1e-6 * max(abs(start), abs(end))
    assert min(start, end) - slack <= value <= max(start, end) + slack
    if images <= begin:
        assert value == pytest.approx(start, abs=slack)
    if images >= begin + length:
        assert value == pytest.approx(end, abs=slack)


@given(VALUES, VALUES, st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_line_never_turns_round(start: float, end: float, finish: int, one: int, other: int) -> None:
    line = Linear(start=start, end=end, finish=finish)
    first, second = (line.at(torch.tensor(images)).item() for images in sorted((one, other)))
    assert (second >= first) if end >= start else (second <= first)


@given(st.sets(st.integers(1, 10**9), max_size=6), st.data(), IMAGES)
def test_steps_have_the_value_of_the_last_boundary_that_was_passed(
    boundaries: set[int], data: st.DataObject, images: int
) -> None:
    ordered = tuple(sorted(boundaries))
    values = tuple(data.draw(st.lists(VALUES, min_size=len(ordered) + 1, max_size=len(ordered) + 1)))
    passed = sum(boundary <= images for boundary in ordered)
    assert Steps(values=values, boundaries=ordered).at(torch.tensor(images)).item() == values[passed]
