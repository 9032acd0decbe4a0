"""A trial of a stack comes to what it comes to alone, by `ebgan.train` and by itself."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ebgan
from ebgan.data import from_array, open_data
from ebgan.energies import AutoencoderEnergy
from ebgan.errors import DataError
from ebgan.experiment import Data, Evaluation, Experiment, Labelled, Nets, Optimisers
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import EBGAN, MAGAN, SemiSupervised
from ebgan.runs.looks import examiner_of
from ebgan.storage.runfolder import read_records
from ebgan.sweeps.training import run_trials, train_models
from ebgan.training.game import Turns
from ebgan.training.optim import SGD, Adam
from ebgan.training.step import train_step

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 6, 6), dtype=np.uint8)
BASE = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=3, width=8, noise=4, std=0.3, batch_norm=False),
        discriminator=MLPAutoencoder(depth=3, width=8, std=0.3, batch_norm=False),
    ),
    objective=EBGAN(margin=4.0, pulling_away=0.1),
    images=100,
    batch=10,
    precision="fp64",
    evaluation=Evaluation(samples=20, grid=4),
)


def member(rule: type, lr: float, margin: float, dropout: float, seed: int) -> Experiment:
    nets = replace(BASE.nets, discriminator=replace(BASE.nets.discriminator, dropout=dropout))
    optimisers = Optimisers(discriminator=rule(lr=lr), generator=Adam(lr=lr))
    return replace(BASE, nets=nets, objective=EBGAN(margin=margin, pulling_away=0.1), optimisers=optimisers, seed=seed)


SEVERAL_SEEDS = [member(Adam, 1e-2, 4.0, 0.5, 3), member(Adam, 3e-3, 2.5, 0.25, 7), member(SGD, 1e-2, 6.0, 0.0, 3)]
ONE_SEED = [replace(each, seed=5) for each in SEVERAL_SEEDS]


WILD = replace(ONE_SEED[2], optimisers=Optimisers(discriminator=SGD(lr=1e30), generator=SGD(lr=1e30)), precision="fp32")


def alone(experiment: Experiment, out: Path) -> dict[str, torch.Tensor]:
    run = ebgan.train(experiment, out, data=IMAGES, device="cpu")
    players = {"generator": run.generator, "discriminator": run.discriminator}
    return {f"{player}.{name}": value for player, net in players.items() for name, value in net.state_dict().items()}


@pytest.mark.parametrize("members", [SEVERAL_SEEDS, ONE_SEED], ids=["several seeds", "one seed"])
def test_a_trial_of_a_stack_ends_with_the_weights_that_ebgan_train_gives_it(
    members: list[Experiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ebgan.runs.trainer.write_report", lambda folder: None)
    trained = train_models(members, from_array(IMAGES))
    assert trained.diverged.tolist() == [0, 0, 0]
    for place, experiment in enumerate(members):
        expected = alone(experiment, tmp_path / str(place))
        found = trained.of(place)
        for name, value in expected.items():  # a run samples in float32
            torch.testing.assert_close(found[name].to(value.dtype), value, rtol=1e-6, atol=1e-6)


def test_pretraining_and_an_average_are_those_of_each_model() -> None:
    base = replace(BASE, objective=MAGAN(epoch=20), pretraining=40, ema=30)
    members = [replace(base, seed=seed) for seed in (1, 2)]
    together = train_models(members, from_array(IMAGES))
    for place, experiment in enumerate(members):
        apart = train_models([experiment], from_array(IMAGES))
        assert any(name.startswith("average.") for name in apart.weights)
        for name, value in apart.of(0).items():
            torch.testing.assert_close(together.of(place)[name], value, rtol=1e-6, atol=1e-6)


def test_a_model_that_diverges_is_named_with_its_moment_and_harms_no_other() -> None:
    tame = replace(WILD, optimisers=Optimisers(discriminator=SGD(lr=1e-2), generator=SGD(lr=1e-2)))
    trained = train_models([tame, WILD], from_array(IMAGES))
    assert trained.diverged[0] == 0
    assert 0 < trained.diverged[1] <= 100
    apart = train_models([tame], from_array(IMAGES))
    for name, value in apart.of(0).items():
        torch.testing.assert_close(trained.of(0)[name], value, rtol=1e-6, atol=1e-6)
    assert int(train_models([WILD], from_array(IMAGES)).diverged) == trained.diverged[1]


@pytest.fixture(scope="module")
def digits() -> list[Experiment]:
    nets = Nets(generator=MLPGenerator(depth=2, width=16, noise=8), discriminator=MLPAutoencoder(width=16))
    base = replace(BASE, data=Data(source="digits"), nets=nets, images=640)
    return [replace(base, objective=EBGAN(margin=margin)) for margin in (1.0, 4.0)]


def test_what_a_trial_came_to_is_what_evaluation_says_of_its_run(digits: list[Experiment], tmp_path: Path) -> None:
    results = run_trials(digits)
    assert [result.status for result in results] == ["done", "done"]
    run = ebgan.train(digits[1], tmp_path, device="cpu")
    expected = examiner_of(run, open_data("digits"), 20).quick_metrics()
    evaluation = read_records(run.folder.evaluations)[-1]
    assert expected["i_usual"] == evaluation["metrics"]["i_usual"]
    for name in ("i_usual", "i_usual_real", "i_swapped", "classes_covered", "largest_class"):
        assert results[1].metrics[name] == pytest.approx(expected[name], rel=1e-4)
    assert results[1].score == results[1].metrics["i_usual"]
    assert results[1].picture is not None
    assert results[1].picture.startswith(b"\x89PNG")
    assert results[1].metrics["energy_real"] > 0


def test_a_trial_that_diverged_has_no_score_and_says_when(digits: list[Experiment]) -> None:
    broken = replace(digits[0], optimisers=WILD.optimisers, precision="fp32")
    (result,) = run_trials([broken])
    assert (result.status, result.score) == ("diverged", None)
    assert "was not finite in the step before" in result.error


def test_a_toy_is_measured_by_its_modes() -> None:
    nets = Nets(generator=MLPGenerator(depth=2, width=8, noise=2), discriminator=MLPAutoencoder(width=8))
    toy = replace(BASE, data=Data(source="toy.ring", limits=None), nets=nets, precision="fp32")
    (result,) = run_trials([toy])
    assert result.status == "done"
    assert "modes_covered" in result.metrics


def test_a_stack_whose_models_have_all_diverged_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = itertools.count()

    def counted(*arguments: Any, **named: Any) -> Any:
        next(steps)
        return train_step(*arguments, **named)

    monkeypatch.setattr("ebgan.training.course.train_step", counted)
    train_models([replace(WILD, images=2000), replace(WILD, seed=1, images=2000)], from_array(IMAGES))
    assert next(steps) == 10


@pytest.fixture(scope="module")
def learners() -> list[Experiment]:
    """Ladder networks on digits that differ in their labels, in how many these are, and in a weight."""
    nets = Nets(generator=MLPGenerator(depth=2, width=8, noise=4), discriminator=Ladder(widths=(12, 8)))
    return [
        Experiment(
            data=Data(source="digits", limits=(0.0, 1.0)),
            labelled=Labelled(count=count, batch=20),
            nets=nets,
            energy=AutoencoderEnergy(unit="sse"),
            objective=SemiSupervised(inner=EBGAN(), weight=weight),
            turns=Turns(generator=0),
            images=2_000,
            batch=50,
            precision="fp64",
            seed=seed,
        )
        for seed, count, weight in ((1, 20, 1.0), (4, 50, 2.0), (1, 20, 0.0))
    ]


def test_a_stack_that_learns_classes_follows_its_models_trained_alone(learners: list[Experiment]) -> None:
    data = open_data("digits")
    together = train_models(learners, data)
    for place, experiment in enumerate(learners):
        for name, value in train_models([experiment], data).of(0).items():
            torch.testing.assert_close(together.of(place)[name], value, rtol=1e-3, atol=1e-5)  # Adam amplifies rounding


def test_a_trial_that_learns_classes_has_the_error_of_its_run_and_is_scored_by_images_that_are_not_for_testing(
    learners: list[Experiment], tmp_path: Path
) -> None:
    results = run_trials(learners)
    run = ebgan.train(learners[1], tmp_path, device="cpu")
    expected = read_records(run.folder.evaluations)[-1]["metrics"]["test_error"]
    assert results[1].metrics["test_error"] == pytest.approx(expected, abs=2e-3)
    for result in results:
        assert result.score == 1 - result.metrics["validation_error"]
        assert result.picture is None  # the generator has no turn
    assert results[0].metrics["test_error"] < 0.9


def test_threads_of_a_worker_train_one_stack_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work: list[int] = []

    def watched(*_: object) -> None:
        at_work.append(1)
        time.sleep(0.05)
        assert at_work == [1]
        at_work.clear()
        raise DataError("enough seen")

    monkeypatch.setattr("ebgan.sweeps.training.train_models", watched)
    with ThreadPoolExecutor(3) as threads:
        ends = [threads.submit(run_trials, [replace(BASE, seed=seed)]) for seed in range(3)]
        assert {str(each.exception()) for each in ends} == {"enough seen"}
