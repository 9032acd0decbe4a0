"""Steps on fixed buffers: the numbers of `train_step`, at addresses that stay, without asking the device."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor

from ebgan.energies import AutoencoderEnergy, ExpertsEnergy, LogisticEnergy, ScalarEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Nets, Optimisers
from ebgan.experiment.building import build
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import (
    BEGAN,
    EBGAN,
    GAN,
    MAGAN,
    VCD,
    WGANGP,
    Augmentation,
    LeCam,
    Regularised,
    Relativistic,
    Scheduled,
    SemiSupervised,
)
from ebgan.records import Batch
from ebgan.samplers import Replay, Transition
from ebgan.schedules import Linear, Steps
from ebgan.training.captured import CapturedStep
from ebgan.training.game import Turns
from ebgan.training.optim import SGD, Adam
from ebgan.training.step import train_step

SHAPE = (1, 8, 8)
BASE = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=3, width=8, noise=3, std=0.3),
        discriminator=MLPAutoencoder(depth=2, width=8, std=0.3, dropout=0.5),
    ),
    objective=EBGAN(margin=4.0, pulling_away=0.1),
    optimisers=Optimisers(
        discriminator=Adam(lr=1e-2, decay=Linear(start=1.0, end=0.0, finish=100)), generator=Adam(lr=1e-2)
    ),
    precision="fp64",
)
SCALAR = replace(BASE.nets, discriminator=MLPDiscriminator(depth=2, width=8, std=0.3, dropout=0.5))
GAMES = {
    "ebgan": BASE,
    "scheduled": replace(BASE, objective=Scheduled(BASE.objective, margin=Steps(values=(4.0, 2.0), boundaries=(18,)))),
    "began": replace(BASE, objective=BEGAN()),
    "magan": replace(BASE, objective=MAGAN(epoch=60), pretraining=6),
    "gan": replace(BASE, nets=SCALAR, energy=LogisticEnergy(), objective=GAN()),
    "wgan_gp": replace(BASE, nets=SCALAR, energy=ScalarEnergy(), objective=WGANGP(), turns=Turns(discriminator=2)),
    "augmented": replace(BASE, objective=Augmentation(inner=LeCam(inner=BASE.objective), translation=0.25)),
    "relativistic": replace(
        BASE, nets=SCALAR, energy=ScalarEnergy(), objective=Regularised(inner=Relativistic(), data=1.0, samples=1.0)
    ),
    "replay": replace(BASE, sampler=Replay(size=12, share=0.5)),
    "samples shared": replace(BASE, turns=Turns(fresh=False)),
}


def batches(device: str = "cpu") -> Iterator[Batch]:
    """Images that differ at each draw."""
    numbers = torch.Generator().manual_seed(1)
    while True:
        yield Batch((torch.rand(6, *SHAPE, generator=numbers, dtype=torch.float64) * 2 - 1).to(device))


def leaves(record: object) -> list[Tensor]:
    """The tensors of a nested record."""
    if isinstance(record, Tensor):
        return [record]
    return [] if record is None else [tensor for part in record for tensor in leaves(part)]


@pytest.mark.parametrize("name", GAMES)
def test_steps_on_fixed_buffers_have_the_numbers_of_plain_steps(name: str) -> None:
    experiment = GAMES[name]
    turns = experiment.turns.now(0)
    (plain, progress), draw = build(experiment, SHAPE), batches().__next__
    expected = []
    for step in range(6):
        progress, outcome = train_step(plain, progress, draw, turns, seen=6 * turns[0] * step)
        expected.append(outcome.values)
    (fixed, start), draw = build(experiment, SHAPE), batches().__next__
    captured = CapturedStep(fixed)
    after, addresses = start, None
    for values in expected:
        after, outcome = captured(after, draw, turns)
        assert outcome.values.keys() == values.keys()
        assert all(torch.equal(outcome.values[key], value) for key, value in values.items())
        assert addresses in (None, [tensor.data_ptr() for tensor in leaves(after)])
        addresses = [tensor.data_ptr() for tensor in leaves(after)]
    assert all(torch.equal(one, other) for one, other in zip(leaves(progress), leaves(after), strict=True))
    for player in ("generator", "discriminator"):
        states = [getattr(game, player).state() for game in (plain, fixed)]
        assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())


def test_a_progress_from_elsewhere_is_taken_up() -> None:
    game, progress = build(BASE, SHAPE)
    captured, draw = CapturedStep(game), batches().__next__
    captured(progress, draw)
    after, _ = captured(progress._replace(seen=torch.tensor(60)), draw)
    assert int(after.seen) == 66
    assert int(progress.seen) == 0


@pytest.mark.parametrize("turns", [(1, 1), (2, 1), (1, 0)])
def test_no_value_is_asked_of_the_device_within_a_step_on_fixed_buffers(turns: tuple[int, int]) -> None:
    """A tensor on the meta device has no values to give: whatever waits for one raises. Dropout is among them."""
    slow = Optimisers(discriminator=SGD(lr=1e-2, momentum=0.5), generator=SGD(lr=1e-2))
    game, progress = build(
        replace(GAMES["scheduled"], sampler=Replay(), optimisers=slow, precision="fp32"), SHAPE, "meta"
    )
    captured = CapturedStep(game)
    for _ in range(3):
        progress, outcome = captured(progress, lambda: Batch(torch.empty(6, *SHAPE, device="meta")), turns)
    assert {value.device.type for value in outcome.values.values()} == {"meta"}


def test_steps_that_need_the_host_are_refused_by_name() -> None:
    nets = Nets(
        generator=MLPTransition(width=8, code=3, std=0.3),
        discriminator=MLPExperts(depth=2, width=8, experts=4, std=0.3),
    )
    game, _ = build(
        replace(BASE, nets=nets, energy=ExpertsEnergy(), sampler=Transition(), objective=VCD(rho=0.5)), SHAPE
    )
    with pytest.raises(UsageError, match="start from images of the data"):
        CapturedStep(game)
    nets = replace(BASE.nets, discriminator=Ladder(widths=(9, 7), top_scale=True))
    classes = SemiSupervised(inner=BASE.objective)
    experiment = replace(BASE, nets=nets, energy=AutoencoderEnergy(unit="sse"), objective=classes)
    game, _ = build(experiment, SHAPE, classes=10)
    with pytest.raises(UsageError, match="names classes"):
        CapturedStep(game)
    game, _ = build(replace(BASE, objective=Regularised(inner=BASE.objective, data=1.0, every=2)), SHAPE)
    with pytest.raises(UsageError, match=r"due every few steps .* choose objective.every=1"):
        CapturedStep(game)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")
@pytest.mark.parametrize("name", GAMES)
def test_a_captured_graph_has_the_numbers_of_plain_steps(name: str) -> None:
    experiment = replace(GAMES[name], precision="fp32")
    turns = experiment.turns.now(0)
    weights = []
    for captures in (False, True):
        game, progress = build(experiment, SHAPE, "cuda")
        step, draw = CapturedStep(game) if captures else partial(train_step, game), batches("cuda").__next__
        for _ in range(8):
            progress, _ = step(progress, draw, turns)
        weights.append(game.generator.weights())
    for key, value in weights[0].items():
        torch.testing.assert_close(weights[1][key], value)
