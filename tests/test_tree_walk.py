"""Which fields decide what is computed, and the paths of a tree."""

from dataclasses import replace
from typing import Any, Literal

import pytest

from ebgan.experiment import Experiment
from ebgan.objectives import EBGAN, Objective, Scheduled
from ebgan.schedules import Linear, Schedule
from ebgan.training.optim import Adam
from ebgan.tree_walk import asides, aspect_of, changed, fits, leaves, mapped, rebuilt, suggestion, without


@pytest.mark.parametrize(
    ("path", "aspect"),
    [
        ("seed", None),
        ("batch", None),
        ("precision", None),
        ("accumulate", None),
        ("data", None),
        ("data.size", None),
        ("data.source", "place"),
        ("data.labels", "place"),
        ("data.workers", "habit"),
        ("checkpoint", "habit"),
        ("evaluation", "habit"),
        ("evaluation.samples", "habit"),
        ("evaluations", None),
        ("images", "length"),
        ("objective.margin", None),
        ("optimisers.generator.lr", None),
        ("no.such.field", None),
    ],
)
def test_a_field_decides_what_is_computed_unless_it_is_marked(path: str, aspect: str | None) -> None:
    assert aspect_of(path, Experiment) == aspect


def test_no_other_field_of_an_experiment_is_marked() -> None:
    marked = {"data.source", "data.labels", "data.workers", "images", "checkpoint", "evaluation"}
    assert asides(Experiment).keys() == marked


def test_leaves_are_named_by_their_paths_and_lists_are_leaves() -> None:
    tree = {"a": {"b": 1, "c": {}}, "d": [{"e": 2}], "f": None}
    assert dict(leaves(tree)) == {"a.b": 1, "d": [{"e": 2}], "f": None}


def test_a_path_is_left_out_and_the_tree_stays_as_it_is() -> None:
    tree = {"a": {"b": 1, "c": 2}, "d": 3}
    assert without(without(tree, "a.b"), "d") == {"a": {"c": 2}}
    assert tree == {"a": {"b": 1, "c": 2}, "d": 3}


@pytest.mark.parametrize(
    ("value", "kind", "fitting"),
    [
        (1, int, True),
        (1, float, True),
        (1.0, int, False),
        (True, int, False),
        (True, float, False),
        (1, bool, False),
        (True, bool, True),
        (None, float | None, True),
        (None, float, False),
        ("a", Literal["a", "b"], True),
        ("c", Literal["a", "b"], False),
        ((0, 1.0), tuple[float, float], True),
        ((0.0,), tuple[float, float], False),
        ((1, 2, 3), tuple[int, ...], True),
        ((1, 2.5), tuple[int, ...], False),
        ([1, 2], tuple[int, ...], False),
        (EBGAN(), Objective[Any], True),
        (Adam(lr=1.0), Objective[Any], False),
        (Linear(start=1.0, end=0.0, finish=9), Schedule | None, True),
        ("1", int | float | None, False),
    ],
)
def test_a_value_fits_a_field_of_its_type(value: object, kind: Any, fitting: bool) -> None:
    assert fits(value, kind) is fitting


def test_changes_that_only_fit_together_are_made_together() -> None:
    made = changed(Experiment(), {"data.size": 8, "data.crop": 4, "seed": 3})
    assert (made.data.size, made.data.crop, made.seed) == (8, 4, 3)
    with pytest.raises(ValueError, match=r"needs data\.size"):
        changed(Experiment(), {"data.crop": 4})


def test_a_function_meets_every_value_below_dataclasses_and_tuples() -> None:
    made = replace(Experiment(), objective=Scheduled(EBGAN(), margin=Linear(start=1.0, end=0.0, finish=9)))
    seen: list[object] = []
    copy = mapped(made, lambda value: seen.append(value) or value)
    assert copy == made
    assert copy is not made
    assert {600_000, "digits", -1.0} <= {value for value in seen if not isinstance(value, dict)}
    assert mapped(made, lambda value: 5 if value == 64 else value).batch == 5
    assert made.batch == 64


def test_a_copy_may_hold_what_a_field_would_refuse() -> None:
    made = EBGAN(margin=3.0)
    assert rebuilt(made, {"margin": -1.0}).margin == -1.0
    assert made.margin == 3.0


def test_an_unknown_name_gets_the_nearest_or_all_known_ones() -> None:
    assert suggestion("magin", ["margin", "unit"]) == "did you mean 'margin'?"
    assert suggestion("zzz", ["b", "a"]) == "known are a, b"
    assert suggestion("zzz", []) == "known are none"
