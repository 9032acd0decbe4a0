"""The config tree: what it refuses, with the mend, and what one stack may hold."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ebgan.energies import AutoencoderEnergy, ExpertsEnergy, LogisticEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Data, Evaluation, Experiment, Nets, Optimisers, read_experiment
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import BEGAN, EBGAN, GAN, VCD, Scheduled
from ebgan.records import Batch
from ebgan.samplers import Transition
from ebgan.schedules import Constant, Linear
from ebgan.training.adamax import Adamax
from ebgan.training.game import Turns
from ebgan.training.optim import SGD, Adam
from ebgan.training.plateau import Plateau
from ebgan.training.step import train_step

SHAPE = (1, 3, 3)
SMALL = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=2, width=8, noise=4, std=0.5), discriminator=MLPAutoencoder(width=8, std=0.5)
    ),
    batch=6,
    precision="fp64",
)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objective": GAN()}, "GAN needs an energy with logits; AutoencoderEnergy has none: use the logistic energy"),
        (
            {"objective": EBGAN(pulling_away=0.1), "energy": LogisticEnergy()},
            "EBGAN needs an energy with code; LogisticEnergy has none: "
            "use the auto-encoder energy or pulling_away=None",
        ),
        (
            {"objective": Scheduled(GAN())},
            "Scheduled needs an energy with logits; AutoencoderEnergy has none: use the logistic energy",
        ),
        (
            {"objective": VCD(), "energy": ExpertsEnergy()},
            "VCD needs samples that start from images; those of Prior do not: use Transition as sampler, with "
            "MLPTransition as nets.generator",
        ),
        (
            {"objective": VCD.authors_code(), "energy": ExpertsEnergy(), "sampler": Transition()},
            "data.limits=(-1.0, 1.0): VCD reads pixels as probabilities here, from 0 to 1: give --data.limits 0 1",
        ),
        ({"batch": 0}, "batch=0: expected at least 1"),
        ({"images": -5}, "images=-5: expected at least 1"),
        ({"ema": 0}, "ema=0: expected at least 1"),
        ({"checkpoint": 0}, "checkpoint=0: expected at least 1"),
        (
            {"objective": Scheduled(EBGAN(), pulling_away=Constant(value=0.1)), "energy": LogisticEnergy()},
            "Scheduled needs an energy with code",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused_with_the_mend(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        replace(SMALL, **changes)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"energy": LogisticEnergy()}, "needs a classifier as nets.discriminator (MLPDiscriminator)"),
        (
            {"nets": replace(SMALL.nets, discriminator=MLPDiscriminator(width=8))},
            "needs an auto-encoder as nets.discriminator (MLPAutoencoder)",
        ),
        ({"sampler": Transition()}, "needs a transition generator as nets.generator (MLPTransition), or take"),
        (
            {"nets": replace(SMALL.nets, generator=MLPTransition(width=8))},
            "needs a generator of noise as nets.generator (MLPGenerator), or take",
        ),
        ({"data": Data(limits=(0.0, 2.0))}, "data.limits=(0.0, 2.0): expected [-1, 1] or [0, 1] for images"),
    ],
)
def test_what_shows_when_it_is_built_is_refused_with_the_mend(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the message is looked at
        build(replace(SMALL, **changes), SHAPE)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: MLPGenerator(width=0), "nets.generator.width=0: expected at least 1"),
        (lambda: MLPGenerator(noise=0), "nets.generator.noise=0: expected at least 1"),
        (lambda: MLPAutoencoder(dropout=1.0), "nets.discriminator.dropout=1.0: expected a number from 0 to below 1"),
        (lambda: Evaluation(samples=1), "evaluation.samples=1: expected at least 2"),
        (lambda: Evaluation(grid=0), "evaluation.grid=0: expected at least 1"),
        (lambda: Turns(discriminator=0), "turns.discriminator=0: expected at least 1"),
        (lambda: Turns(generator=-1), "turns.generator=-1: expected at least 0"),
        (lambda: Adam(lr=float("nan")), "lr=nan: expected a number above 0"),
        (lambda: SGD(lr=-1.0), "lr=-1.0: expected a number above 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(make: Callable[[], object], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        make()
    assert said in str(raised.value)


def test_a_whole_number_where_a_field_is_a_float_is_the_same_config() -> None:
    assert replace(SMALL, objective=EBGAN(margin=4)).hash == replace(SMALL, objective=EBGAN(margin=4.0)).hash


def test_a_schedule_of_a_field_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="EBGAN has no field 'margn' that is a number; it has margin, pulling_away"):
        Scheduled(EBGAN(), margn=Linear(start=1.0, end=0.0, finish=10))


def test_an_experiment_is_written_and_read_back(tmp_path: Path) -> None:
    made = replace(
        SMALL,
        objective=Scheduled(EBGAN(margin=3.0), margin=Linear(start=3.0, end=0.0, finish=100)),
        optimisers=Optimisers(
            discriminator=SGD(lr=1e-5), generator=Adam(lr=2e-4, decay=Linear(start=1.0, end=0.0, finish=9))
        ),
        turns=Turns(discriminator=2, joined=True),
        ema=500,
    )
    file = tmp_path / "config.yaml"
    file.write_text(made.to_yaml())
    assert read_experiment(file) == made


def test_a_part_that_may_be_none_is_written_and_read_back(tmp_path: Path) -> None:
    optimisers = Optimisers(discriminator=Adam(lr=1e-4), generator=Adam(lr=1e-4), plateau=Plateau(patience=9))
    made = replace(SMALL, objective=BEGAN(), optimisers=optimisers)
    (tmp_path / "config.yaml").write_text(made.to_yaml())
    assert read_experiment(tmp_path / "config.yaml") == made


def test_an_objective_whose_name_two_papers_use_is_refused_with_both(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("objective: {type: LSGAN}\n")
    with pytest.raises(UsageError, match=r"line 1: objective.type: 'LSGAN'; .*LossSensitiveGAN.*LeastSquaresGAN"):
        read_experiment(file)


def test_a_config_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    for name in ("missing.yaml", "binary.yaml"):
        with pytest.raises(UsageError, match=f"{name}: cannot be read as a config"):
            read_experiment(tmp_path / name)


def test_the_hash_differs_where_the_experiment_does() -> None:
    others = [replace(SMALL, seed=1), replace(SMALL, objective=EBGAN(margin=10.5)), replace(SMALL, batch=7)]
    assert len({SMALL.hash, *(other.hash for other in others)}) == 4
    assert replace(SMALL, seed=0).hash == SMALL.hash
    assert len(SMALL.hash) == 16


def test_the_hash_tells_apart_what_looks_alike_as_text(tmp_path: Path) -> None:
    data = [Data(labels=name) for name in (None, "null", "None", "", "1", "é", "\u0065\u0301", 'a"b', "a\\", "a\n")]
    limits = [Data(limits=limits) for limits in ((0.0, 1.0), (-1.0, float("inf")))]
    kinds = [Optimisers(generator=kind(lr=1e-4)) for kind in (Adam, Adamax, SGD)]
    made = [
        *(replace(SMALL, data=each) for each in [*data, *limits]),
        *(replace(SMALL, optimisers=each) for each in kinds),
    ]
    assert len({each.hash for each in made}) == len(made)
    for each in made[: len(data)]:
        file = tmp_path / "config.yaml"
        file.write_text(each.to_yaml(), "utf-8")
        assert read_experiment(file).hash == each.hash


def grid() -> list[Experiment]:
    """Three experiments that differ in every way in which the models of one stack can."""
    return [
        replace(
            SMALL,
            seed=seed,
            objective=EBGAN(margin=margin, pulling_away=weight),
            nets=replace(SMALL.nets, discriminator=replace(SMALL.nets.discriminator, dropout=rate)),
            optimisers=Optimisers(discriminator=Adam(lr=lr), generator=SGD(lr=lr)),
        )
        for seed, margin, weight, rate, lr in (
            (3, 2.0, 0.125, 0.0, 0.25),
            (4, 4.0, 0.25, 0.25, 0.125),
            (5, 3.0, 0.5, 0.5, 0.5),
        )
    ]


def test_a_stack_holds_a_tensor_where_its_experiments_differ_and_is_otherwise_as_they_are() -> None:
    one = stacked(grid())
    assert one.seed.tolist() == [3, 4, 5]  # type: ignore[attr-defined]
    assert one.objective.margin.tolist() == [2.0, 4.0, 3.0]  # type: ignore[attr-defined]
    assert one.nets.generator == SMALL.nets.generator
    assert one.batch == 6


def test_a_stack_trains_each_model_as_it_trains_alone() -> None:
    def draw(step: int) -> Batch:
        return Batch(torch.rand(6, *SHAPE, generator=torch.Generator().manual_seed(step)) * 2 - 1)

    def trained(experiment: Experiment) -> dict[str, torch.Tensor]:
        game, progress = build(experiment, SHAPE)
        models = game.randomness.seeds.shape
        for step in range(6):
            images = draw(step).images.expand(*models, 6, *SHAPE)
            progress, outcome = train_step(game, progress, lambda: Batch(images))  # noqa: B023 - drawn at once
        weights = game.generator.weights() | {f"d.{n}": v for n, v in game.discriminator.weights().items()}
        return weights | outcome.values

    together = trained(stacked(grid()))
    for model, experiment in enumerate(grid()):
        for name, value in trained(experiment).items():
            whole = together[name]
            torch.testing.assert_close(whole[model] if whole.dim() else whole, value, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"batch": 7}, "batch: 6, 7"),
        ({"images": 5}, "images: 600000, 5"),
        (
            {"nets": replace(SMALL.nets, generator=MLPGenerator(depth=2, width=9, noise=4))},
            "nets.generator.width: 8, 9",
        ),
        ({"objective": EBGAN(pulling_away=0.1)}, "objective.pulling_away: None, 0.1"),
        ({"energy": AutoencoderEnergy(unit="sse")}, "energy.unit: norm, sse"),
        ({"precision": "fp32"}, "precision: fp64, fp32"),
    ],
)
def test_what_cannot_differ_in_a_stack_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the message is looked at
        stacked([SMALL, replace(SMALL, **changes)])
    able = "float fields, seeds, numbers of labelled images and kinds of optimiser"
    assert str(raised.value) == f"{named} differ, and in one stack only {able} can"


def test_what_a_stack_holds_goes_to_the_device_that_it_is_built_on() -> None:
    game, progress = build(stacked(grid()), SHAPE, "meta")
    optimiser = game.discriminator.optimiser
    held = [game.objective.margin, optimiser.spec.lr, game.randomness.seeds, progress.seen]  # type: ignore[attr-defined]
    assert {tensor.device.type for tensor in [*held, *optimiser.weights]} == {"meta"}
    assert stacked(grid()).objective.margin.device.type == "cpu"  # type: ignore[attr-defined]
