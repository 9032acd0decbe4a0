"""Learning rates that fall at the end of a run, for any recipe."""

from dataclasses import replace

import pytest
import torch

from ebgan.cli.experiment import with_fields
from ebgan.cli.train import TrainOptions
from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Optimisers
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.recipes import find
from ebgan.records import Batch
from ebgan.schedules import Linear
from ebgan.training.fall import Fall
from ebgan.training.optim import SGD
from ebgan.training.step import train_step

FALL = Fall(begin=8, finish=16, end=0.5)
SMALL = Experiment(optimisers=Optimisers(discriminator=SGD(lr=0.1), generator=SGD(lr=0.2), fall=FALL))


def rates(experiment: Experiment, seen: int) -> list[float]:
    """The learning rates of the generator [of each model] after so many images."""
    game, _ = build(experiment, (1, 4, 4))
    return game.generator.optimiser.learning_rate(torch.tensor(seen)).reshape(-1).tolist()


@pytest.mark.parametrize(("seen", "rate"), [(0, 0.2), (8, 0.2), (12, 0.15), (16, 0.1), (99, 0.1)])
def test_the_rate_falls_in_a_straight_line_between_two_numbers_of_images(seen: int, rate: float) -> None:
    assert rates(SMALL, seen) == pytest.approx([rate])


def test_it_counts_beside_the_decay_of_an_optimiser() -> None:
    decayed = replace(SMALL.optimisers, generator=SGD(lr=0.2, decay=Linear(start=1.0, end=0.0, finish=16)))
    assert rates(replace(SMALL, optimisers=decayed), 12) == pytest.approx([0.2 * 0.25 * 0.75])


def test_the_models_of_a_stack_may_end_at_other_rates() -> None:
    models = [replace(SMALL, optimisers=replace(SMALL.optimisers, fall=replace(FALL, end=end))) for end in (0.0, 0.5)]
    assert rates(stacked(models), 12) == pytest.approx([0.1, 0.15])


def test_the_rates_of_both_players_are_recorded_only_where_they_fall() -> None:
    names = {"learning_rate/discriminator", "learning_rate/generator"}
    for experiment, recorded in ((SMALL, names), (Experiment(), set())):
        game, progress = build(experiment, (1, 4, 4))
        _, outcome = train_step(game, progress, lambda: Batch(torch.rand(4, 1, 4, 4)))
        assert {name for name in outcome.values if name.startswith("learning_rate")} == recorded


def test_any_recipe_takes_it_from_the_command_line() -> None:
    words = ["--optimisers.fall.begin", "8", "--optimisers.fall.finish", "16", "--optimisers.fall.end", "0.5"]
    for name in ("digits", "mnist.magan", "toy.ring.vgan", "folder.began"):
        _, made = with_fields(TrainOptions, f"train {name}", find(name).make(), words)
        assert made == replace(find(name).make(), optimisers=replace(made.optimisers, fall=FALL))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"begin": 8}, "optimisers.fall.finish=0: must come after begin=8"),
        ({"begin": 8, "finish": 8}, "optimisers.fall.finish=8: must come after begin=8"),
        ({"begin": -1, "finish": 8}, "optimisers.fall.begin=-1: expected at least 0"),
        ({"finish": 1.5}, "finish"),
        ({"finish": 8, "end": 1.1}, "optimisers.fall.end=1.1: expected a number from 0 to 1"),
        ({"finish": 8, "end": float("nan")}, "optimisers.fall.end=nan"),
    ],
)
def test_a_fall_that_makes_no_sense_is_refused(fields: dict[str, float], message: str) -> None:
    with pytest.raises((UsageError, TypeError), match=message):
        Fall(**fields)
