"""Values as functions of the images seen."""

import pytest
import torch

from ebgan.schedules import Constant, Linear, Schedule, Steps

MARGIN = Linear(start=16.0, end=0.0, finish=60_000)  # as EBGAN-LN's margin falls (appendix D)
RATE = Linear(start=1.0, end=0.0, begin=80_000, finish=120_000)  # as its baseline's learning rate does
HALVED = Steps(values=(1.0, 0.5, 0.25), boundaries=(100, 200))


@pytest.mark.parametrize(
    ("schedule", "images", "value"),
    [
        (MARGIN, 0, 16.0),
        (MARGIN, 15_000, 12.0),
        (MARGIN, 30_000, 8.0),
        (MARGIN, 60_000, 0.0),
        (MARGIN, 10**12, 0.0),
        (RATE, 0, 1.0),
        (RATE, 80_000, 1.0),
        (RATE, 100_000, 0.5),
        (RATE, 110_000, 0.25),
        (RATE, 120_000, 0.0),
        (HALVED, 0, 1.0),
        (HALVED, 99, 1.0),
        (HALVED, 100, 0.5),
        (HALVED, 199, 0.5),
        (HALVED, 200, 0.25),
        (HALVED, 10**12, 0.25),
        (Constant(value=3.5), 0, 3.5),
        (Constant(value=3.5), 10**12, 3.5),
        (Steps(values=(2.0,), boundaries=()), 5, 2.0),
    ],
)
def test_a_schedule_has_its_value_at_a_moment(schedule: Schedule, images: int, value: float) -> None:
    at = schedule.at(torch.tensor(images))
    assert at.dtype == torch.float32
    assert at.shape == ()
    assert at.item() == value


def test_a_schedule_of_a_stack_has_a_value_a_model() -> None:
    clock = torch.tensor(50)
    starts = torch.tensor([16.0, 8.0])
    assert Linear(start=starts, end=0.0, finish=100).at(clock).tolist() == [8.0, 4.0]  # type: ignore[arg-type]
    assert Constant(value=starts).at(clock).tolist() == [16.0, 8.0]  # type: ignore[arg-type]


@pytest.mark.parametrize("finish", [5, 10])
def test_a_line_that_does_not_go_forward_is_refused(finish: int) -> None:
    with pytest.raises(ValueError, match=f"finish={finish} must come after begin=10"):
        Linear(start=1.0, end=0.0, begin=10, finish=finish)


def test_a_boundary_too_many_and_boundaries_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="2 boundaries need 3 values, not 2"):
        Steps(values=(1.0, 0.5), boundaries=(10, 20))
    for boundaries in ((20, 10), (10, 10)):
        with pytest.raises(ValueError, match=r"boundaries .* must increase"):
            Steps(values=(1.0, 0.5, 0.25), boundaries=boundaries)
