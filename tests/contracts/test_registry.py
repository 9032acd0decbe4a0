"""What every class that a config can name has in common."""

import copy
import dataclasses
import inspect
from typing import Any

import pytest

from ebgan import config, energies, nets, objectives, samplers, schedules, training
from ebgan.energies import Energy
from ebgan.experiment import REGISTRY
from ebgan.experiment.stacking import stacked
from ebgan.nets.base import DiscriminatorSpec, GeneratorSpec
from ebgan.objectives import Objective, Scheduled
from ebgan.objectives.wrapper import Wrapper
from ebgan.samplers import Sampler
from ebgan.schedules import Schedule
from ebgan.training.mixed import Mixed
from ebgan.training.optim import OptimiserSpec

KINDS = (Objective, Energy, Sampler, Schedule, OptimiserSpec, GeneratorSpec, DiscriminatorSpec)


def kind_of(part: object) -> type:
    (kind,) = [kind for kind in KINDS if isinstance(part, kind)]
    return kind


def test_every_registered_class_has_a_line_in_this_suite(covered: set[str]) -> None:
    assert covered == set(REGISTRY)


def test_every_concrete_class_of_a_kind_is_registered() -> None:
    below = {sub for kind in KINDS for sub in kind.__subclasses__()}
    below |= {sub for kind in below for sub in kind.__subclasses__()}
    concrete = {sub for sub in below if sub.__module__.startswith("ebgan.") and not inspect.isabstract(sub)}
    assert concrete - {Mixed, Wrapper} == set(REGISTRY.values())  # what stacks hold and what wrappers share has no name


def test_every_registered_class_is_exported_by_its_package() -> None:
    exported = {name for room in (energies, nets, objectives, samplers, training) for name in room.__all__}
    assert set(REGISTRY) - set(vars(schedules)) <= exported


def test_it_goes_through_yaml_and_back(parts: list[Any]) -> None:
    holder = dataclasses.make_dataclass("Holder", [("part", kind_of(parts[0]))], frozen=True)
    for part in parts:
        text = config.to_yaml(holder(part))
        assert f"type: {type(part).__name__}" in text
        assert config.from_yaml(text, holder, REGISTRY, "config.yaml").part == part


def test_its_fields_cannot_be_set(parts: list[Any]) -> None:
    for name in [field.name for field in dataclasses.fields(parts[0])] + ["something_new"]:
        with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
            setattr(parts[0], name, 1)


def test_its_fields_are_given_by_name(parts: list[Any]) -> None:
    if isinstance(parts[0], Scheduled):
        pytest.skip("Scheduled wraps an objective, which it takes first")
    with pytest.raises(TypeError, match="positional"):
        type(parts[0])(1.0)


def test_it_is_final(parts: list[Any]) -> None:
    assert type(parts[0]).__final__
    assert type(parts[0]).__subclasses__() == []


def test_it_is_a_value(parts: list[Any]) -> None:
    part = parts[0]
    assert copy.deepcopy(part) == part
    if isinstance(part, Scheduled):
        with pytest.raises(TypeError, match="unhashable"):
            hash(part)
    else:
        assert hash(copy.deepcopy(part)) == hash(part)


def test_settings_that_differ_in_floats_make_one_stack(parts: list[Any]) -> None:
    one = stacked(parts)
    for field in dataclasses.fields(one):
        values = [getattr(part, field.name) for part in parts]
        if len(set(map(str, values))) > 1 and isinstance(values[0], float):
            assert getattr(one, field.name).tolist() == values
