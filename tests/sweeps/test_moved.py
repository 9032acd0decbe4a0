"""Trials keep their results when their data moves, and when only what computes nothing has changed."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ebgan.errors import UsageError
from ebgan.experiment import Data, Evaluation, Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.sweeps import Grid, Halving, Trial
from ebgan.sweeps.moved import FACT, recognised

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)


@pytest.fixture
def base(tmp_path: Path) -> Experiment:
    """An experiment on a file."""
    np.save(tmp_path / "a.npy", IMAGES)
    nets = Nets(generator=MLPGenerator(depth=2, width=8, noise=4), discriminator=MLPAutoencoder(width=8))
    return Experiment(data=Data(source=str(tmp_path / "a.npy")), nets=nets, images=900, batch=10)


def trials(base: Experiment) -> list[Trial]:
    return list(Grid(base=base, axes={"seed": (0, 1)}).trials())


def ids(found: Sequence[Trial]) -> list[str]:
    return [trial.id for trial in found]


def elsewhere(base: Experiment, path: Path, images: np.ndarray = IMAGES) -> Experiment:
    np.save(path, images)
    return replace(base, data=replace(base.data, source=str(path)))


def test_what_computes_nothing_leaves_the_ids_as_they_are(base: Experiment) -> None:
    others = [
        replace(base, data=replace(base.data, workers=2)),
        replace(base, checkpoint=5),
        replace(base, evaluation=Evaluation(samples=9, every=3, grid=4, pictures=2)),
    ]
    assert [ids(trials(other)) for other in others] == [ids(trials(base))] * 3
    assert ids(trials(replace(base, images=901))) != ids(trials(base))


def test_an_axis_that_changes_no_trial_is_refused(base: Experiment) -> None:
    for path, values in {"evaluation.samples": (5, 6), "data.workers": (0, 1), "checkpoint": (1, 2)}.items():
        with pytest.raises(UsageError, match=f"axis {path}: does not change what a trial computes"):
            Grid(base=base, axes={path: values})


def test_trials_on_the_same_data_elsewhere_keep_their_ids(
    base: Experiment, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before, facts = recognised(trials(base), {})
    assert before == trials(base)
    moved = elsewhere(base, tmp_path / "b.npy")
    after, again = recognised(trials(moved), facts)
    assert ids(after) == ids(before)
    assert [trial.experiment for trial in after] == [trial.experiment for trial in trials(moved)]
    assert again == facts
    assert "b.npy: the same data as in" in caplog.text


def test_rungs_of_trials_on_moved_data_keep_their_ids(base: Experiment, tmp_path: Path) -> None:
    halving = Halving(eta=2, rungs=2)
    before, facts = recognised(trials(base), {})
    after, _ = recognised(trials(elsewhere(base, tmp_path / "b.npy")), facts)
    rungs = [next(halving.climb(each, dict)).trials for each in (before, after)]
    assert ids(rungs[0]) == ids(rungs[1])
    assert {trial.experiment.data.source for trial in rungs[1]} == {str(tmp_path / "b.npy")}


def test_other_data_is_another_trial(base: Experiment, tmp_path: Path) -> None:
    before, facts = recognised(trials(base), {})
    after, facts = recognised(trials(elsewhere(base, tmp_path / "b.npy", IMAGES[::-1])), facts)
    assert not set(ids(before)) & set(ids(after))
    assert len(json.loads(facts[FACT])) == 2


def test_data_in_another_size_or_cropped_is_another_trial(base: Experiment, tmp_path: Path) -> None:
    before, facts = recognised(trials(base), {})
    moved = elsewhere(base, tmp_path / "b.npy")
    flipped = replace(moved, data=replace(moved.data, flip=True))
    after, _ = recognised(trials(flipped), facts)
    assert not set(ids(before)) & set(ids(after))


def test_data_that_an_earlier_call_has_read_is_not_read_again(base: Experiment, tmp_path: Path) -> None:
    before, facts = recognised(trials(base), {})
    (tmp_path / "a.npy").unlink()
    assert recognised(trials(base), facts) == (before, facts)


@pytest.mark.parametrize(
    "text", ["", "[]", "1", "{", '{"a": 1}', '{"a": "b"}', '{"[]": "b"}', '{"{}": 3}', "null", "{" * 9999]
)
def test_a_fact_of_another_form_is_passed_over(base: Experiment, text: str) -> None:
    found, facts = recognised(trials(base), {FACT: text})
    assert found == trials(base)
    assert len(json.loads(facts[FACT])) == 1
