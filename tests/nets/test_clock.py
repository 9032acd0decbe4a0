"""Nets that change with the images seen: vanishing residuals, told the time by the game and by a checkpoint."""

from pathlib import Path

import numpy as np
import pytest
import torch

import ebgan
from ebgan.energies import AutoencoderEnergy
from ebgan.experiment import Experiment, Nets
from ebgan.experiment.building import build
from ebgan.nets.base import BuildContext
from ebgan.nets.began import BEGANAutoencoder, BEGANGenerator
from ebgan.nets.clock import Fading, clocks
from ebgan.objectives import BEGAN
from ebgan.randomness import Randomness
from ebgan.records import Batch
from ebgan.schedules import Linear
from ebgan.training.step import train_step

SHAPE = (1, 16, 16)
FALLING = Linear(start=1.0, end=0.0, finish=40)
RUN = Experiment(
    nets=Nets(generator=BEGANGenerator(width=4, carry=FALLING), discriminator=BEGANAutoencoder(width=4, carry=FALLING)),
    energy=AutoencoderEnergy(unit="l1"),
    objective=BEGAN(),
    images=24,
    batch=4,
)


def test_before_each_step_both_nets_hear_how_many_images_were_seen() -> None:
    game, progress = build(RUN, SHAPE)
    for seen in (0, 4, 8):
        progress, _ = train_step(game, progress, lambda: Batch(torch.zeros(4, *SHAPE)))
        for player in (game.generator, game.discriminator):
            assert player.net.get_buffer("carry.images") == seen
            assert player.weights()["carry.images"] == seen  # and so does a checkpoint


def test_the_carry_passes_by_the_convolutions_that_keep_the_size_and_at_0_is_no_more() -> None:
    context, x = BuildContext(SHAPE, (-1.0, 1.0), Randomness.of(0)), torch.rand(2, *SHAPE) * 2 - 1
    plain, net = BEGANAutoencoder(width=4).build(context), BEGANAutoencoder(width=4, carry=FALLING).build(context)
    for clock in clocks(net):
        clock.fill_(40)
    torch.testing.assert_close(net(x)[1], plain(x)[1])
    for clock in clocks(net):
        clock.fill_(0)
    passed = [name for name, weight in net.named_parameters() if "weight" in name and not _moves(net, weight, x)]
    assert passed == [
        *(f"encoder.layers.{place}.layer.weight" for place in (0, 2, 3)),
        *(f"decoder.sizes.{size}.{layer}.layer.weight" for size in (0, 1) for layer in ("first", "second")),
    ]
    for clock in clocks(net):
        clock.fill_(10)
    assert all(_moves(net, weight, x) for weight in net.parameters())


def _moves(net: torch.nn.Module, weight: torch.Tensor, x: torch.Tensor) -> bool:
    """Whether a weight has a part in the output."""
    return bool(torch.autograd.grad(net(x)[1].square().sum(), weight)[0].any())


def test_a_fading_value_is_that_of_its_schedule_at_the_time_it_was_told() -> None:
    value = Fading(FALLING)
    assert value() == 1
    for clock in clocks(torch.nn.Sequential(value)):
        clock.fill_(30)
    assert value().item() == pytest.approx(0.25)


def test_a_loaded_run_samples_at_the_time_at_which_it_was_saved(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16), np.uint8)
    run = ebgan.train(RUN, tmp_path / "run", data=images, device="cpu")
    loaded = ebgan.load(tmp_path / "run", device="cpu")
    assert loaded.generator.get_buffer("carry.images") == 20
    assert torch.equal(loaded.sample(3), run.sample(3))
    for clock in clocks(loaded.generator):
        clock.fill_(40)
    assert not torch.equal(loaded.sample(3), run.sample(3))
