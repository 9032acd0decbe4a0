"""Objectives and energies that fit, in a game: what learns from what; and every recipe."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import count
from typing import Any

import pytest
import torch
from torch import Tensor

from ebgan.data import TOYS, open_points
from ebgan.data.collections import COLLECTIONS
from ebgan.energies import AutoencoderEnergy, ExpertsEnergy, LadderEnergy, ScalarEnergy
from ebgan.errors import UsageError
from ebgan.experiment import REGISTRY, Data, Experiment, Nets, read_experiment
from ebgan.experiment.building import build
from ebgan.nets.base import DiscriminatorSpec, GeneratorSpec
from ebgan.nets.by_class import ClassAutoencoder, ClassGenerator
from ebgan.nets.class_head import ClassHead
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.recipes import RECIPES
from ebgan.records import Batch
from ebgan.samplers import Prior, Transition
from ebgan.training.game import Game
from ebgan.training.step import Outcome, Progress, train_step

SHAPE = (1, 4, 4)
COLOUR = {"cifar10", "svhn", *COLLECTIONS}
CLASSES = 10
SPECS = {AutoencoderEnergy: MLPAutoencoder, ExpertsEnergy: MLPExperts}
LADDER = Ladder(widths=(8, 6))


def discriminator_for(objective: Any, energy: Any) -> DiscriminatorSpec:
    """A net that has the energy, and classes where they are learned: the Ladder network's, or those of a head."""
    if isinstance(energy, LadderEnergy) or (objective.asks.classifies and energy == AutoencoderEnergy(unit="sse")):
        return LADDER
    net = SPECS.get(type(energy), MLPDiscriminator)(depth=2, width=8, std=0.1)
    if objective.asks.misnames:
        return ClassAutoencoder(net=net)
    return ClassHead(net=net) if objective.asks.classifies else net


def experiment(objective: Any, energy: Any) -> Experiment:
    noise: GeneratorSpec = MLPGenerator(depth=2, width=8, noise=3, std=0.5)
    if objective.asks.misnames:
        noise = ClassGenerator(net=noise)
    transition = MLPTransition(depth=2, width=8, code=3, batch_norm=False, std=0.5)
    return Experiment(
        data=Data(limits=objective.asks.limits or (-1.0, 1.0)),
        nets=Nets(
            generator=transition if objective.asks.conditional else noise,
            discriminator=discriminator_for(objective, energy),
        ),
        energy=energy,
        sampler=Transition() if objective.asks.conditional else Prior(),
        objective=objective,
        batch=5,
        pretraining=5 if objective.asks.pretrained else 0,
        precision="fp64",
    )


def batch(shape: tuple[int, ...], count: int) -> Batch:
    images = torch.rand(count, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return Batch(images, torch.arange(count) % CLASSES, labelled=Batch(images, torch.arange(count) % CLASSES))


def step(game: Game, progress: Progress, shape: tuple[int, ...], count: int) -> tuple[Progress, Outcome]:
    return train_step(game, progress, lambda: batch(shape, count), source=lambda turn: batch(shape, count))


def weights(game: Game) -> dict[str, Tensor]:
    """What moves in the nets of both players, as it is now."""
    players = {"generator": game.generator, "discriminator": game.discriminator}
    return {
        f"{player}.{name}": value.clone()
        for player in players
        for name, value in players[player].weights().items()
        if name != "hidden.0.bias"  # batch norm takes it away again
    }


def test_an_objective_without_what_it_needs_is_refused_with_the_mend(misfit: Any) -> None:
    with pytest.raises(UsageError, match=r"needs an energy with .* has none: use the"):
        experiment(*misfit)


def test_one_step_moves_every_weight_of_both_players(pair: Any) -> None:
    """Or one a layer: a Ladder network's decoder hears of what is above a layer once that layer has moved."""
    chosen = experiment(*pair)
    steps = 2 + 2 * len(LADDER.widths) if chosen.nets.discriminator == LADDER else 1
    game, progress = build(chosen, SHAPE, classes=CLASSES)
    before = weights(game)
    for _ in range(steps):
        progress, outcome = step(game, progress, SHAPE, 5)
        assert outcome.finite
    assert progress.seen == 5 * steps
    shift = "discriminator.logit.bias"  # of all energies alike, which a difference of energies does not see
    for name, value in weights(game).items():
        assert not torch.equal(value, before[name]) or (name == shift and isinstance(pair[1], ScalarEnergy)), name


def test_the_generators_turn_leaves_the_discriminator_where_it_is(pair: Any) -> None:
    game, progress = build(experiment(*pair), SHAPE, classes=CLASSES)
    sample = game.sample(progress.seen, 1, 5, lambda: batch(SHAPE, 5))
    data = game.read(batch(SHAPE, 5).images)
    loss = game.objective.generator(progress.objective, game.read(sample.images), sample._replace(data=data)).total
    before = weights(game)
    game.generator.optimiser.descend(loss, progress.seen)
    for name, value in weights(game).items():
        buffer = name.startswith("generator") and name.endswith(("hidden.1.mean", "hidden.1.variance"))
        assert torch.equal(value, before[name]) == (name.startswith("discriminator") or buffer), name


def shape_of(made: Experiment) -> tuple[int, int, int]:
    if made.data.source in TOYS:
        return open_points(made.data.source).shape
    if made.data.source in COLOUR:
        return 3, 16, 16  # at which the nets of larger images can be built as well
    side = 8 if made.data.source == "digits" else 28 + 2 * made.data.padding
    return 1, side, side


def settled(made: Experiment) -> Experiment:
    """A recipe with numbers where it waits for the data's."""
    given = dict.fromkeys(made.objective.asks.from_data, 8)
    return replace(
        made,
        objective=replace(made.objective, **given),
        pretraining=8 if made.pretraining is None else made.pretraining,
    )


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_goes_through_yaml_builds_and_takes_a_step(name: str, tmp_path: Any) -> None:
    made = RECIPES[name].make()
    config = tmp_path / "config.yaml"
    config.write_text(made.to_yaml())
    assert read_experiment(config) == made
    shape = shape_of(made)
    if made.from_data:
        with pytest.raises(UsageError, match=rf"{made.from_data[0]}=null: .* give a number"):
            build(made, shape)
    game, progress = build(replace(settled(made), batch=8), shape, classes=CLASSES)
    progress, outcome = step(game, progress, shape, 8)
    assert outcome.finite
    assert progress.seen == 8
    assert all(value.isfinite().all() for value in outcome.values.values())


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_a_summary_and_a_source(name: str) -> None:
    recipe = RECIPES[name]
    assert recipe.summary.endswith(".")
    assert recipe.source
    assert {type(part).__name__ for part in vars(recipe.make()).values()} & set(REGISTRY)


def structure(value: Any) -> Any:
    """What decides most of the operations of a step: classes and words, not numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        return type(value), *(structure(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, dict):
        return tuple((key, structure(each)) for key, each in value.items())
    return value if isinstance(value, str) else None


def all_recipes() -> Iterator[Any]:
    """Every recipe; those built of the same classes as an earlier one are slow tests."""
    known = set()
    for name, recipe in RECIPES.items():
        made = recipe.make()
        built = structure(replace(made, data=replace(made.data, source="")))
        yield pytest.param(name, marks=[pytest.mark.slow] if built in known else [])
        known.add(built)


@pytest.fixture(scope="module")
def adam_without_numbers() -> Iterator[None]:
    """Torch's kernel of Adam has no form for the meta device where the learning rate is a tensor."""
    library = torch.library.Library("aten", "IMPL")
    library.impl("_fused_adam_.tensor_lr", lambda *given, **named: None, "Meta")
    yield
    library._destroy()


@pytest.mark.parametrize("name", all_recipes())
@pytest.mark.usefixtures("adam_without_numbers")
def test_three_steps_of_a_recipe_ask_the_device_for_nothing(name: str) -> None:
    """As far as a machine without a GPU can tell: a tensor on the meta device has no values to give."""
    made = RECIPES[name].make()
    shape = shape_of(made)
    game, progress = build(replace(settled(made), batch=4), shape, "meta", CLASSES)
    assert not unmoved(game.generator.state() | game.discriminator.state())
    batch = on_meta(shape)
    for seen, turns in zip(count(0, 4), [(1, 0), (1, 1), (1, 1)], strict=False):
        progress, outcome = train_step(game, progress, lambda: batch, turns, lambda turn: batch, seen=seen)
        assert not unmoved({"finite": outcome.finite, "images": progress.seen, **outcome.values})


def on_meta(shape: tuple[int, int, int]) -> Batch:
    labels = torch.empty(4, dtype=torch.int64, device="meta")
    images = torch.empty(4, *shape, device="meta")
    return Batch(images, labels, Batch(images, labels))


def unmoved(tensors: dict[str, Tensor]) -> list[str]:
    """The names of tensors that are not on the device."""
    return [name for name, tensor in tensors.items() if not tensor.is_meta]


def test_the_device_that_has_no_values_refuses_to_give_or_to_mix_any() -> None:
    empty = torch.empty(2, device="meta")
    for read in (empty[0].item, lambda: int(empty[0]), lambda: bool(empty[0]), lambda: empty + torch.ones(2)):
        with pytest.raises((RuntimeError, NotImplementedError)):
            read()
