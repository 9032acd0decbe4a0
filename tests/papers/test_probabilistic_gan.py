"""The probabilistic GAN: binary cross-entropy to the digit, and finite where -log D is not."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from ebgan.energies import LogisticEnergy
from ebgan.nets.base import Discriminator
from ebgan.objectives import GAN
from ebgan.records import Batch, Reading, Sample

IMAGES = torch.zeros(64, 1, 1, 1)


class Said(Discriminator):
    """A classifier whose logit is the first pixel."""

    def forward(self, images: Tensor) -> Tensor:
        return images[..., 0, 0, 0]

    def features(self, images: Tensor) -> Tensor:
        return images.flatten(-3)


def reading(logits: Tensor) -> Reading:
    return LogisticEnergy().read(Said(), logits[:, None, None, None])


def logits(seed: int, spread: float = 3.0) -> Tensor:
    return torch.randn(64, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * spread


def losses(gan: GAN, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    discriminator = gan.discriminator(gan.init(), reading(real), reading(fake), Batch(IMAGES))
    return discriminator.total, gan.generator(gan.init(), reading(fake), Sample(IMAGES)).total


def test_the_losses_are_binary_cross_entropy_from_logits() -> None:
    real, fake = logits(0), logits(1)
    ones, zeros = torch.ones_like(real), torch.zeros_like(real)
    discriminator, generator = losses(GAN(), real, fake)
    torch.testing.assert_close(
        discriminator,
        binary_cross_entropy_with_logits(real, ones) + binary_cross_entropy_with_logits(fake, zeros),
        rtol=1e-14,
        atol=0,
    )
    torch.testing.assert_close(generator, binary_cross_entropy_with_logits(fake, ones), rtol=1e-14, atol=0)


def test_the_saturating_generator_plays_the_minimax_game() -> None:
    real, fake = logits(0), logits(1)
    discriminator, generator = losses(GAN(saturating=True), real, fake)
    torch.testing.assert_close(discriminator, losses(GAN(), real, fake)[0])
    torch.testing.assert_close(generator, logsigmoid(-fake).mean())


def test_a_discriminator_that_cannot_tell_loses_two_logarithms_of_2() -> None:
    nothing = torch.zeros(64)
    discriminator, generator = losses(GAN(), nothing, nothing)
    assert discriminator.item() == pytest.approx(2 * math.log(2))
    assert generator.item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("saturating", [False, True])
@pytest.mark.parametrize("logit", [-1e4, -104.0, -95.0, 95.0, 104.0, 1e4])
def test_losses_and_gradients_are_finite_and_right_at_any_logit_in_float32(logit: float, saturating: bool) -> None:
    real, fake = torch.full((4,), -logit, requires_grad=True), torch.full((4,), logit, requires_grad=True)
    discriminator, generator = losses(GAN(saturating=saturating), real, fake)
    pulled_real, pulled_fake = torch.autograd.grad(discriminator, (real, fake))
    (pulled,) = torch.autograd.grad(generator, fake)
    wrong = max(logit, 0.0)  # how far the discriminator is on the wrong side of both
    assert discriminator.item() == pytest.approx(2 * wrong, abs=1e-6)
    assert generator.item() == pytest.approx(-wrong if saturating else max(-logit, 0.0), abs=1e-6)
    expected = 0.25 if logit > 0 else 0.0
    assert pulled_fake.tolist() == pytest.approx([expected] * 4) == (-pulled_real).tolist()
    assert pulled.tolist() == pytest.approx([-expected if saturating else expected - 0.25] * 4)


def test_the_energy_is_minus_log_d() -> None:
    said = logits(2)
    torch.testing.assert_close(reading(said).energy, -said.sigmoid().log())
    assert reading(torch.tensor([-1e4, 1e4])).energy.tolist() == [1e4, 0.0]
