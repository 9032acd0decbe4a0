"""A field of an objective as a function of the images seen."""

import pytest
import torch
from torch import Tensor

from ebgan.objectives import EBGAN, Scheduled
from ebgan.objectives.scheduled import ScheduledState
from ebgan.records import Batch, Means, Reading, Sample
from ebgan.schedules import Constant, Linear

IMAGES = torch.zeros(2, 1, 1, 1)
REAL, FAKE = Reading(IMAGES, torch.tensor([1.0, 3.0])), Reading(IMAGES, torch.tensor([4.0, 12.0]), torch.eye(2))
FALLING = Scheduled(EBGAN(margin=10.0), margin=Linear(start=10.0, end=0.0, finish=100))


def after(objective: Scheduled, images: int) -> ScheduledState:
    return objective.update(objective.init(), means(images))


def means(images: int) -> Means:
    return Means(REAL.energy.mean(), FAKE.energy.mean(), torch.tensor(images))


def hinge(objective: Scheduled, state: ScheduledState) -> float:
    return objective.discriminator(state, REAL, FAKE, Batch(IMAGES)).terms["hinge"].item()


@pytest.mark.parametrize(("images", "value"), [(0, 3.0), (20, 2.0), (60, 0.0), (1000, 0.0)])
def test_a_field_has_the_schedules_value_of_the_moment(images: int, value: float) -> None:
    state = after(FALLING, images)
    assert hinge(FALLING, state) == value
    assert FALLING.metrics(state, FAKE, means(images))["margin"].item() == pytest.approx(max(10 - images / 10, 0))


def test_the_value_of_the_inner_objective_itself_is_not_read_nor_moved() -> None:
    low = Scheduled(EBGAN(margin=1.0), margin=Constant(value=10.0))
    assert hinge(low, after(low, 5)) == 3.0
    assert low.inner == EBGAN(margin=1.0)


def test_several_fields_may_be_scheduled() -> None:
    both = Scheduled(
        EBGAN(pulling_away=0.5),
        margin=Constant(value=8.0),
        pulling_away=Linear(start=0.0, end=1.0, finish=10),
    )
    codes = FAKE._replace(code=torch.ones(2, 3))
    losses = both.generator(after(both, 5), codes, Sample(IMAGES))
    assert losses.terms["pulling_away"].item() == pytest.approx(0.5)
    assert hinge(both, after(both, 5)) == 2.0


def test_fields_may_be_named_or_given_by_name_in_a_mapping() -> None:
    line = Linear(start=10.0, end=0.0, finish=100)
    assert Scheduled(EBGAN(margin=10.0), {"margin": line}) == FALLING


def test_the_clock_alone_moves_in_the_state() -> None:
    state = after(FALLING, 64)
    assert state.images.item() == 64
    assert state.images.dtype == torch.int64
    assert state.inner == FALLING.inner.init()


def test_it_is_the_inner_objective_where_nothing_is_scheduled() -> None:
    plain, bare = EBGAN(margin=10.0, pulling_away=0.1), Scheduled(EBGAN(margin=10.0, pulling_away=0.1))

    def total(objective: EBGAN | Scheduled) -> Tensor:
        state = objective.init()
        return (
            objective.generator(state, FAKE, Sample(IMAGES)).total
            + objective.data_loss(state, REAL, Batch(IMAGES)).total
        )

    assert bare.asks.needs == plain.asks.needs == {"code"}
    assert total(bare) == total(plain)


def test_time_passes_also_while_the_generator_has_no_turn() -> None:
    state = FALLING.skip_generator(FALLING.init(), torch.tensor(60))
    assert FALLING.metrics(state, FAKE, means(60))["margin"].item() == pytest.approx(4.0)
