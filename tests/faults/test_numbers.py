"""No number in a config is taken that makes no sense: every field of every class that a config can name is tried."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import jaxtyping
import pytest
import torch

from ebgan.errors import UsageError
from ebgan.experiment import REGISTRY, Data, Evaluation, Experiment, Labelled
from ebgan.objectives import (
    BEGAN,
    EBGAN,
    VCD,
    WGANGP,
    Augmentation,
    LeCam,
    LossSensitiveGAN,
    Regularised,
    Relativistic,
    Scheduled,
    SemiSupervised,
)
from ebgan.samplers import Replay, Transition
from ebgan.schedules import Constant, Linear, Steps
from ebgan.training.fall import Fall
from ebgan.training.game import Turns
from ebgan.training.optim import SGD, Adam
from ebgan.training.plateau import Plateau

NEEDED: dict[str, dict[str, Any]] = {  # what a class has no default for
    **{name: {"lr": 0.1} for name in ("Adam", "Adamax", "SGD")},
    "Constant": {"value": 1.0},
    "Linear": {"start": 1.0, "end": 0.0, "finish": 10},
    "Steps": {"values": (1.0, 0.5), "boundaries": (10,)},
    "SemiSupervised": {"inner": EBGAN()},
    **{name: {"inner": EBGAN()} for name in ("Augmentation", "ClassConditional", "LeCam")},
    "Regularised": {"inner": EBGAN()},
    "Scheduled": {"inner": EBGAN(), "schedules": {}},
    "Plateau": {"patience": 10},
}
REFUSALS = UsageError, jaxtyping.TypeCheckError  # of a wrong type pytest's own check of signatures is first, if any
KINDS = {
    kind.__name__: kind for kind in (*REGISTRY.values(), Fall, Plateau, Turns, Data, Labelled, Evaluation, Experiment)
}


def numbers(kind: str) -> Iterator[tuple[str, str]]:
    """The fields of numbers of the classes, each with its class: "int" or "float" is the word."""
    for name, each in KINDS.items():
        for field in dataclasses.fields(each):
            words = {word.strip() for word in str(field.type).split("|")}
            if kind in words:
                yield name, field.name


def made(kind: str, field: str, value: object) -> object:
    return KINDS[kind](**NEEDED.get(kind, {}) | {field: value})


@pytest.mark.parametrize(("kind", "field"), numbers("float"))
def test_a_float_field_refuses_what_is_no_finite_number(kind: str, field: str) -> None:
    for value in (math.nan, math.inf, -math.inf, 10**400, True, "four"):
        with pytest.raises(REFUSALS, match=field):
            made(kind, field, value)


@pytest.mark.parametrize(("kind", "field"), numbers("int"))
def test_a_whole_number_s_field_refuses_what_is_none(kind: str, field: str) -> None:
    for value in (1.5, math.nan, math.inf, True, "four", *([] if field == "seed" else [-1])):
        with pytest.raises(REFUSALS, match=field):
            made(kind, field, value)


def test_there_is_something_to_try() -> None:
    assert len([*numbers("float")]) > 40
    assert len([*numbers("int")]) > 50


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        *(("EBGAN", field, -1.0) for field in ("margin", "pulling_away")),
        *(("BEGAN", field, value) for field in ("gamma", "lambda_k") for value in (0.0, -1.0)),
        *(("LossSensitiveGAN", field, -1.0) for field in ("scale", "real_weight", "gradient_penalty")),
        ("LossSensitiveGAN", "slope", 1.5),
        ("WGANGP", "gradient_penalty", -1.0),
        *(("Regularised", field, -1.0) for field in ("data", "samples", "between")),
        *(("Regularised", "every", value) for value in (0, 10_001)),
        ("Relativistic", "margin", -1.0),
        *(("Augmentation", field, value) for field in ("translation", "cutout", "colour") for value in (-0.1, 1.1)),
        ("LeCam", "weight", -1.0),
        ("ClassConditional", "weight", -1.0),
        *(("LeCam", "decay", value) for value in (-0.1, 1.0)),
        *(("VCD", "rho", value) for value in (-0.1, 1.1)),
        ("SemiSupervised", "weight", -1.0),
        *((name, "lr", value) for name in ("Adam", "Adamax", "Adadelta", "SGD") for value in (0.0, -1.0, 0)),
        *((name, field, value) for name in ("Adam", "Adamax") for field in ("beta1", "beta2") for value in (-0.1, 1.0)),
        *((name, "epsilon", value) for name in ("Adam", "Adamax", "Adadelta") for value in (0.0, -1e-8)),
        *(("Adadelta", "rho", value) for value in (-0.1, 1.0)),
        *(("SGD", "momentum", value) for value in (-0.1, 1.0)),
        *((name, "weight_decay", -1.0) for name in ("Adam", "SGD")),
        *((name, "clip", 0.0) for name in ("Adam", "SGD")),
        *(("Replay", "share", value) for value in (-0.1, 1.1)),
        *(("Noised", "share", value) for value in (-0.1, 1.1)),
        ("Noised", "noise", 0.0),
        *(("Langevin", field, value) for field in ("share", "restart") for value in (-0.1, 1.1)),
        *(("Langevin", field, 0.0) for field in ("code_step", "step", "clip", "temperature")),
        *(("Langevin", field, -0.1) for field in ("code_noise", "noise")),
        ("NAE", "gamma", -1.0),
        *(("Transition", "keep", value) for value in (-0.1, 1.1)),
        *(("ExpertsEnergy", "clip", value) for value in (0.0, 0.5)),
        ("LadderEnergy", "weights", (1.0, math.nan)),
        ("LadderEnergy", "weights", (-1.0,)),
        ("Ladder", "noise", -0.3),
        *((name, "std", 0.0) for name in KINDS if hasattr(KINDS[name], "std")),
        *((name, "dropout", value) for name in KINDS if hasattr(KINDS[name], "dropout") for value in (-0.1, 1.0)),
        ("ConvDiscriminator", "slope", -0.2),
        ("ConvAutoencoder", "slope", 1.5),
        ("Steps", "values", (1.0, math.inf)),
        ("Steps", "boundaries", (-10,)),
    ],
)
def test_a_number_beyond_a_field_s_range_is_refused_by_name(kind: str, field: str, value: object) -> None:
    with pytest.raises(UsageError, match=field):
        made(kind, field, value)


def test_a_schedule_is_refused_where_it_takes_a_field_beyond_its_range() -> None:
    with pytest.raises(UsageError, match=r"objective.margin=-1.0: expected a number of 0 or more"):
        Scheduled(EBGAN(), margin=Linear(start=3.0, end=-1.0, finish=10))
    with pytest.raises(UsageError, match=r"objective.rho=2.0: expected a number from 0 to 1"):
        Scheduled(VCD(), rho=Steps(values=(0.5, 2.0), boundaries=(10,)))
    with pytest.raises(UsageError, match=r"decay=-0.5: expected a number of 0 or more"):
        Adam(lr=0.1, decay=Linear(start=1.0, end=-0.5, finish=10))


def test_numbers_at_the_ends_of_their_ranges_are_taken() -> None:
    EBGAN(margin=0.0, pulling_away=0.0), BEGAN(gamma=2), LossSensitiveGAN(slope=1, scale=0.0, real_weight=0)
    WGANGP(gradient_penalty=0.0), VCD(rho=0.0), VCD(rho=1), SemiSupervised(inner=EBGAN(), weight=0.0)
    Regularised(inner=WGANGP(), data=0.0, between=0, every=10_000), Relativistic(margin=0.0)
    Augmentation(inner=EBGAN(), translation=0.0, cutout=1, colour=0), LeCam(inner=EBGAN(), weight=0, decay=0.0)
    Replay(share=0.0), Replay(share=1), Transition(keep=1.0), SGD(lr=1e-30, momentum=0), Adam(lr=5, beta1=0.0)
    Scheduled(EBGAN(), margin=Linear(start=3.0, end=0.0, finish=10)), SGD(lr=1.0, decay=Constant(value=0.0))
    EBGAN(margin=None)


def test_the_tensors_of_a_stack_are_taken() -> None:
    numbers = torch.tensor([-1.0, 0.0])  # which were looked at before they were put into one
    EBGAN(margin=numbers), BEGAN(gamma=numbers), SGD(lr=numbers), Transition(keep=numbers)  # type: ignore[arg-type]
