"""Successive halving: who goes on, with how many images, and what is refused."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.sweeps import Grid, Halving, Trial
from ebgan.sweeps.halving import Rung, rungs, unfinished

BASE = Experiment(
    nets=Nets(generator=MLPGenerator(depth=2, width=8, noise=4), discriminator=MLPAutoencoder(width=8)),
    images=900,
    batch=10,
)
TRIALS = list(Grid(base=BASE, axes={"seed": tuple(range(20))}).trials())
HALVING = Halving(eta=3, rungs=3)


def climbed(halving: Halving, scored: dict[int, float | None], trials: Sequence[Trial] = TRIALS) -> list[Rung]:
    """All rungs, where a seed's score is the same at each and a seed without one is not done."""
    found: list[Rung] = []

    def scores() -> dict[str, float | None]:
        pairs = ((trial.id, trial.experiment.seed) for trial in found[-1].trials)
        return {trial: scored[seed] for trial, seed in pairs if seed in scored}

    for rung in halving.climb(trials, scores):
        found.append(rung)
    return found


def seeds(rung: Rung) -> list[int]:
    return [trial.experiment.seed for trial in rung.trials]


def test_the_better_ones_of_each_rung_go_on_with_more_images() -> None:
    first, second, last = climbed(HALVING, {seed: float(seed % 10) for seed in range(20)})
    assert seeds(first) == list(range(20))
    assert seeds(second) == [7, 8, 9, 17, 18, 19]
    assert seeds(last) == [9, 19]
    assert [{trial.experiment.images for trial in rung.trials} for rung in (first, second, last)] == [
        {100},
        {300},
        {900},
    ]
    assert [rung.above for rung in (first, second, last)] == [2, 1, 0]


def test_a_trial_of_a_rung_is_the_grids_but_for_its_images_and_in_the_last_rung_the_grids_itself() -> None:
    first, _, last = climbed(HALVING, {seed: float(seed) for seed in range(20)})
    assert [replace(trial.experiment, images=900) for trial in first.trials] == [trial.experiment for trial in TRIALS]
    assert all(trial.id == trial.experiment.hash for trial in first.trials)
    assert last.trials == [TRIALS[18], TRIALS[19]]


def test_no_rung_costs_more_than_the_first_and_all_together_what_the_rungs_above_say() -> None:
    costs = [sum(t.experiment.images for t in rung.trials) for rung in climbed(HALVING, dict.fromkeys(range(20), 1.0))]
    assert costs == [2000, 1800, 1800]
    assert sum(costs) <= 3 * costs[0]


def test_a_trial_without_a_score_does_not_go_on_even_where_places_are_left() -> None:
    _, second, last = climbed(HALVING, {3: 1.0, 5: -2.0})
    assert (seeds(second), seeds(last)) == ([3, 5], [3])


def test_where_every_trial_diverged_or_failed_none_goes_on() -> None:
    _, *others = climbed(HALVING, {})
    assert [rung.trials for rung in others] == [[], []]


def test_data_without_a_measure_are_refused_after_the_first_rung() -> None:
    with pytest.raises(UsageError, match="no scores: sweep without halving"):
        climbed(HALVING, dict.fromkeys(range(20)))


def test_trials_that_differ_in_images_alone_and_begin_alike_begin_once() -> None:
    alike = [*TRIALS[:9], *(Trial(made.hash, made) for made in [replace(TRIALS[0].experiment, images=901)])]
    first, second, _ = climbed(HALVING, {seed: -float(seed) for seed in range(9)}, alike)
    assert seeds(first) == list(range(9))
    assert [(trial.experiment.seed, trial.experiment.images) for trial in second.trials] == [(0, 300), (1, 300)]


def test_without_halving_there_is_one_rung_of_all_trials() -> None:
    assert list(rungs(TRIALS, None, dict)) == [Rung(TRIALS, 0)]
    assert unfinished(Rung(TRIALS[:3]), {TRIALS[1].id}) == [TRIALS[0], TRIALS[2]]


@pytest.mark.parametrize(
    ("halving", "changes", "words"),
    [
        (Halving(eta=5), {}, "1 of 5 goes on, 3 rungs: needs 25 trials, and here are 20: choose fewer rungs"),
        (Halving(eta=2, rungs=5), {"batch": 64}, "begin with 56, less than pretraining and a batch .64"),
        (HALVING, {"pretraining": 95}, "begin with 100, less than pretraining and a batch .105"),
    ],
)
def test_too_few_trials_or_images_are_refused(halving: Halving, changes: dict[str, int], words: str) -> None:
    trials = [Trial(made.hash, made) for made in (replace(trial.experiment, **changes) for trial in TRIALS)]
    with pytest.raises(UsageError, match=words):
        halving.check(trials)


def test_what_is_enough_is_not_refused() -> None:
    HALVING.check(TRIALS)
    Halving(eta=2, rungs=5).check(TRIALS)


@pytest.mark.parametrize("wrong", [{"eta": 1}, {"rungs": 1}])
def test_halving_drops_something_in_each_of_several_rungs(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=r"halving\.(eta|rungs)=1: expected at least 2"):
        Halving(**wrong)
