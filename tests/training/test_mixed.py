"""A stack whose models move by optimisers of several kinds, against each model alone."""

from dataclasses import replace

import pytest
import torch

from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Nets, Optimisers
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import EBGAN
from ebgan.records import Batch
from ebgan.schedules import Linear
from ebgan.training.adamax import Adamax
from ebgan.training.mixed import Mixed
from ebgan.training.optim import SGD, Adam, OptimiserSpec
from ebgan.training.step import train_step

SHAPE = (1, 3, 3)
DECAY = Linear(start=1.0, end=0.5, finish=20)
SMALL = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=2, width=8, noise=4, std=0.5, batch_norm=False),
        discriminator=MLPAutoencoder(width=8, std=0.5),
    ),
    objective=EBGAN(margin=4.0),
    batch=6,
    precision="fp64",
)


def grid(*pairs: tuple[OptimiserSpec, OptimiserSpec]) -> list[Experiment]:
    return [replace(SMALL, optimisers=Optimisers(discriminator=d, generator=g)) for d, g in pairs]


GRIDS = {
    "side by side": grid(
        (Adam(lr=0.125), SGD(lr=0.25)),
        (Adam(lr=0.0625), Adam(lr=0.03125)),
        (SGD(lr=0.125, momentum=0.5), Adam(lr=0.125)),
        (SGD(lr=0.25), SGD(lr=0.125)),
    ),
    "in any order": grid(
        (SGD(lr=0.25), Adam(lr=0.125)),
        (Adam(lr=0.125), Adam(lr=0.0625)),
        (SGD(lr=0.125, momentum=0.75), Adamax(lr=0.0625)),
    ),
    "with weight decay and a clip": grid(
        (SGD(lr=0.25, weight_decay=0.125), Adam(lr=0.125, clip=0.25)),
        (Adam(lr=0.125, weight_decay=0.25), SGD(lr=0.0625)),
    ),
    "with a decay": grid(
        (SGD(lr=0.25, decay=DECAY), Adam(lr=0.125)),
        (Adam(lr=0.125, decay=DECAY), Adam(lr=0.0625)),
    ),
}


def trained(experiment: Experiment, broken: int | None = None) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """The weights after some steps; in the third, the images of one model of a stack may hold what is no number."""
    game, progress = build(experiment, SHAPE)
    models = game.randomness.seeds.shape
    for step in range(6):
        images = torch.rand(6, *SHAPE, generator=torch.Generator().manual_seed(step)) * 2 - 1
        images = images.expand(*models, 6, *SHAPE).clone()
        if broken is not None and step == 2:
            images[broken] = torch.nan
        progress, outcome = train_step(game, progress, lambda: Batch(images))  # noqa: B023 - drawn at once
    players = {"generator": game.generator, "discriminator": game.discriminator}
    return {f"{n}.{k}": v for n, player in players.items() for k, v in player.weights().items()}, outcome.finite


@pytest.mark.parametrize("members", GRIDS.values(), ids=GRIDS)
def test_each_model_moves_by_its_own_kind_as_it_does_alone(members: list[Experiment]) -> None:
    one = stacked(members)
    assert isinstance(one.optimisers.discriminator, Mixed)
    together, finite = trained(one)
    assert finite.all()
    for place, member in enumerate(members):
        for name, value in trained(member)[0].items():
            torch.testing.assert_close(together[name][place], value, rtol=1e-7, atol=1e-9)


def test_a_model_that_is_not_finite_harms_none_of_another_kind() -> None:
    members = GRIDS["side by side"]
    whole, broken = trained(stacked(members))[0], trained(stacked(members), broken=1)[0]
    for name, value in broken.items():
        for place in (0, 2, 3):
            assert torch.equal(value[place], whole[name][place])


def test_what_a_stack_of_several_kinds_holds_goes_to_its_device() -> None:
    game, _ = build(stacked(GRIDS["in any order"]), SHAPE, "meta")
    spec = game.generator.optimiser.spec
    assert isinstance(spec, Mixed)
    assert {spec.lr.device.type, spec.kinds[0].lr.device.type} == {"meta"}


def test_schedules_that_differ_between_kinds_are_refused_by_name() -> None:
    members = grid((SGD(lr=0.25, decay=DECAY), Adam(lr=0.125)), (Adam(lr=0.125), Adam(lr=0.125)))
    with pytest.raises(UsageError, match=r"^optimisers.discriminator.decay differs"):
        stacked(members)
