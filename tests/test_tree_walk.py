"""Which fields decide what is computed, and the paths of a tree."""

import pytest

from ebgan.experiment import Experiment
from ebgan.tree_walk import asides, aspect_of, leaves, without


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
    assert dict(leaves(tree)) == {"a.b": 1, "a.c": {}, "d": [{"e": 2}], "f": None}


def test_a_path_is_left_out_and_the_tree_stays_as_it_is() -> None:
    tree = {"a": {"b": 1, "c": 2}, "d": 3}
    assert without(without(tree, "a.b"), "d") == {"a": {"c": 2}}
    assert tree == {"a": {"b": 1, "c": 2}, "d": 3}
