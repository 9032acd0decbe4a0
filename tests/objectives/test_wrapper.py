"""Objectives around other objectives: nothing that is asked of the outer one stops there."""

import inspect

import pytest

from ebgan.objectives import BEGAN, EBGAN, MAGAN, VCD, Objective, Scheduled, SemiSupervised
from ebgan.objectives.wrapper import Wrapper, innermost
from ebgan.schedules import Constant


def test_a_wrapper_passes_on_every_method_of_the_contract() -> None:
    contract = {name for name, _ in inspect.getmembers(Objective, inspect.isfunction) if not name.startswith("_")}
    assert contract <= set(vars(Wrapper))


@pytest.mark.parametrize("inner", [EBGAN(margin=None, pulling_away=0.1), MAGAN(), BEGAN(), VCD.authors_code()])
def test_what_a_wrapper_asks_for_is_what_the_inner_objective_asks_for(inner: Objective) -> None:
    outer = Scheduled(inner).asks
    assert outer.from_data == {f"inner.{name}": rule for name, rule in inner.asks.from_data.items()}
    assert outer._replace(from_data={}) == inner.asks._replace(from_data={})


def test_classes_are_asked_for_beside_what_the_inner_objective_asks_for() -> None:
    assert SemiSupervised(inner=BEGAN()).asks == BEGAN().asks._replace(classifies=True)


def test_the_innermost_objective_is_found_within_any_number_of_wrappers() -> None:
    inner = EBGAN(margin=3.0)
    assert innermost(inner) is inner
    assert innermost(SemiSupervised(inner=Scheduled(inner, margin=Constant(value=1.0)))) is inner
