"""Objectives and energies that fit, in a game: what learns from what; and every recipe."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from ebgan.energies import AutoencoderEnergy
from ebgan.errors import UsageError
from ebgan.experiment import REGISTRY, Experiment, Nets, build
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPGenerator
from ebgan.recipes import RECIPES
from ebgan.records import Batch
from ebgan.training.step import train_step

SHAPE = (1, 4, 4)


def experiment(objective: Any, energy: Any) -> Experiment:
    spec = MLPAutoencoder if isinstance(energy, AutoencoderEnergy) else MLPDiscriminator
    nets = Nets(
        generator=MLPGenerator(depth=2, width=8, noise=3, std=0.5), discriminator=spec(depth=2, width=8, std=0.1)
    )
    return Experiment(objective=objective, energy=energy, nets=nets, batch=5, precision="fp64")


def batch(shape: tuple[int, ...], count: int) -> Batch:
    return Batch(torch.rand(count, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1)


def test_one_step_moves_every_weight_of_both_players_or_the_pair_is_refused(objectives: Any, energy: Any) -> None:
    objective = objectives[0]
    if not objective.needs <= energy.gives:
        with pytest.raises(UsageError, match=r"needs an energy with .* has none: use the"):
            experiment(objective, energy)
        return
    game, progress = build(experiment(objective, energy), SHAPE)
    before = {**game.generator.weights(), **{f"d.{k}": v for k, v in game.discriminator.weights().items()}}
    before = {name: value.clone() for name, value in before.items()}
    progress, outcome = train_step(game, progress, lambda: batch(SHAPE, 5))
    after = {**game.generator.weights(), **{f"d.{k}": v for k, v in game.discriminator.weights().items()}}
    assert outcome.finite
    assert progress.images == 5
    for name, value in after.items():
        assert not torch.equal(value, before[name]), name


def test_the_generators_loss_does_not_move_the_discriminator(objectives: Any, energy: Any) -> None:
    objective = objectives[0]
    if not objective.needs <= energy.gives:
        pytest.skip("the pair is refused")
    game, progress = build(experiment(objective, energy), SHAPE)
    train_step(game, progress, lambda: batch(SHAPE, 5), turns=(1, 0))
    alone = {name: value.clone() for name, value in game.discriminator.weights().items()}
    game, progress = build(experiment(objective, energy), SHAPE)
    samples = game.sample(progress.images, 1, 5, lambda: batch(SHAPE, 5))
    loss = objective.generator(objective.init(), game.read(samples.images), samples).total
    started = {name: value.clone() for name, value in game.discriminator.weights().items()}
    game.generator.optimiser.descend(loss, progress.images)
    for name, value in game.discriminator.weights().items():
        assert torch.equal(value, started[name])
        assert not torch.equal(value, alone[name])  # as a turn of its own would have


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_goes_through_yaml_builds_and_takes_a_step(name: str, tmp_path: Any) -> None:
    from ebgan.experiment import read_experiment

    made = RECIPES[name].make()
    config = tmp_path / "config.yaml"
    config.write_text(made.to_yaml())
    assert read_experiment(config) == made
    shape = (1, 8, 8) if made.data.source == "digits" else (1, 28 + 2 * made.data.padding, 28 + 2 * made.data.padding)
    game, progress = build(replace(made, batch=8), shape)
    progress, outcome = train_step(game, progress, lambda: batch(shape, 8))
    assert outcome.finite
    assert progress.images == 8
    assert all(value.isfinite().all() for value in outcome.values.values())


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_a_summary_and_a_source(name: str) -> None:
    recipe = RECIPES[name]
    assert recipe.summary.endswith(".")
    assert recipe.source
    assert {type(part).__name__ for part in vars(recipe.make()).values()} & set(REGISTRY)
