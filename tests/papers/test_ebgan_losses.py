"""EBGAN's two losses (equations 1 and 2), number by number, and the mistakes that its copies make."""

import pytest
import torch
from torch import Tensor

from ebgan.energies import AutoencoderEnergy
from ebgan.nets.base import BuildContext
from ebgan.nets.mlp import MLPAutoencoder
from ebgan.objectives import EBGAN, Scheduled
from ebgan.objectives.terms import hinge
from ebgan.randomness import Randomness
from ebgan.records import Batch, Losses, Reading, Sample
from ebgan.schedules import Linear

NO_IMAGES = torch.zeros(2, 1, 1, 1)


def discriminator(objective: EBGAN | Scheduled, real: list[float], fake: Tensor) -> Losses:
    readings = Reading(NO_IMAGES, torch.tensor(real)), Reading(NO_IMAGES, fake)
    return objective.discriminator(objective.init(), *readings, Batch(NO_IMAGES))


def generator(objective: EBGAN, fake: Tensor) -> Losses:
    return objective.generator(objective.init(), Reading(NO_IMAGES, fake), Sample(NO_IMAGES))


def test_the_discriminators_loss_of_the_worked_example_is_5_with_its_hinge_taken_per_sample() -> None:
    losses = discriminator(EBGAN(margin=10.0), [1.0, 3.0], torch.tensor([4.0, 12.0]))
    assert losses.total.item() == 5.0  # 4.0 were the hinge that of the batch's mean
    assert {name: term.item() for name, term in losses.terms.items()} == {"real": 2.0, "hinge": 3.0}


def test_the_generators_loss_of_the_worked_example_is_8() -> None:
    assert generator(EBGAN(margin=10.0), torch.tensor([4.0, 12.0])).total.item() == 8.0


def test_the_hinge_pulls_each_energy_under_the_margin_by_one_over_the_batch_and_no_other() -> None:
    fake = torch.tensor([4.0, 12.0, 9.99, 10.01], requires_grad=True)
    (gradient,) = torch.autograd.grad(discriminator(EBGAN(margin=10.0), [1.0], fake).total, fake)
    assert gradient.tolist() == [-0.25, 0.0, -0.25, 0.0]


def test_the_generator_is_pulled_above_the_margin_as_below_it() -> None:
    fake = torch.tensor([4.0, 12.0, 10.0, 100.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(generator(EBGAN(margin=10.0), fake).total, fake)
    assert gradient.tolist() == [0.25] * 4


def test_a_margin_of_zero_leaves_the_plain_autoencoder_loss() -> None:
    fake = torch.tensor([4.0, 0.0])
    assert discriminator(EBGAN(margin=0.0), [1.0, 3.5], fake).total.item() == 2.25
    decayed = Scheduled(EBGAN(margin=10.0), margin=Linear(start=10.0, end=0.0, finish=100))
    state = decayed.init()._replace(images=torch.tensor(100))
    real, sample = Reading(NO_IMAGES, torch.tensor([1.0, 3.5])), Reading(NO_IMAGES, fake)
    assert decayed.discriminator(state, real, sample, Batch(NO_IMAGES)).total.item() == 2.25


def test_each_model_of_a_stack_has_its_own_margin() -> None:
    assert hinge(torch.tensor([10.0, 5.0]), torch.tensor([[4.0, 12.0], [4.0, 12.0]])).tolist() == [3.0, 0.5]


def test_the_generators_gradient_flows_through_the_reconstruction_and_through_the_target() -> None:
    net = MLPAutoencoder(width=16, std=0.3).build(BuildContext((1, 3, 3), (-1.0, 1.0), Randomness.of(0))).double()
    images = torch.rand(4, 1, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    images.requires_grad_(True)

    def gradient(target: Tensor, read: Tensor) -> Tensor:
        residual = (net(read)[1] - target).flatten(1)
        return torch.autograd.grad(residual.norm(dim=1).mean(), images)[0]

    loss = generator(EBGAN(), AutoencoderEnergy().read(net, images).energy).total
    (ours,) = torch.autograd.grad(loss, images)
    through_reconstruction, through_target = gradient(images.detach(), images), gradient(images, images.detach())
    torch.testing.assert_close(ours, through_reconstruction + through_target)
    assert (ours - through_reconstruction).norm() > 0.1 * ours.norm()
    assert (ours - through_target).norm() > 0.1 * ours.norm()


def test_the_pulling_away_term_is_in_the_generators_loss_alone_and_has_its_weight() -> None:
    codes = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    reading = Reading(torch.zeros(3, 1, 1, 1), torch.tensor([1.0, 2.0, 3.0]), code=codes)
    plain, with_term = EBGAN(margin=10.0), EBGAN(margin=10.0, pulling_away=0.1)
    losses = with_term.generator(with_term.init(), reading, Sample(reading.images))
    assert losses.total.item() == pytest.approx(2.0 + 0.1 / 3)
    batch = Batch(reading.images)
    assert with_term.discriminator(with_term.init(), reading, reading, batch).total == (
        plain.discriminator(plain.init(), reading, reading, batch).total
    )
