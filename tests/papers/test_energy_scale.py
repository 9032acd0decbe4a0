"""The energy is the L2 norm of the residual, per sample (equation 13): the scale on which the margins make sense."""

import math
from typing import get_args

import pytest
import torch
from torch import nn

from ebgan.energies import AutoencoderEnergy, reconstruction_error
from ebgan.energies.autoencoder import Unit
from ebgan.recipes import RECIPES

MARGINS = {  # setting -> pixels, margin, margin per root of pixels: 20, 40, 80 follow one law, LSUN's does not
    "MNIST 32": (1024, 10, 0.3125),
    "CelebA 64": (3 * 64**2, 20, 0.1804),
    "ImageNet 128": (3 * 128**2, 40, 0.1804),
    "ImageNet 256": (3 * 256**2, 80, 0.1804),
    "LSUN 64": (3 * 64**2, 80, 0.7217),
}


@pytest.mark.parametrize(("unit", "one", "two"), [("norm", 32, 64), ("sse", 1024, 4096), ("mse", 1, 4), ("l1", 1, 2)])
def test_a_residual_of_1_and_of_2_on_1024_pixels_has_its_energy_in_each_unit(unit: Unit, one: int, two: int) -> None:
    images = torch.zeros(3, 1, 32, 32)
    offset = torch.tensor([0.0, 1.0, 2.0])[:, None, None, None]
    assert reconstruction_error(unit, images + offset, images).tolist() == [0, one, two]
    assert reconstruction_error(unit, images - offset, images).tolist() == [0, one, two]


@pytest.mark.parametrize("unit", get_args(Unit))
def test_the_gradient_of_a_perfect_reconstruction_is_finite(unit: Unit) -> None:
    images = torch.zeros(2, 1, 4, 4)
    reconstruction = torch.stack((torch.zeros(1, 4, 4), torch.ones(1, 4, 4))).requires_grad_(True)
    (gradient,) = torch.autograd.grad(reconstruction_error(unit, reconstruction, images).sum(), reconstruction)
    assert gradient[0].abs().max() == 0
    assert gradient[1].isfinite().all()
    assert gradient[1].min() > 0


def test_the_energy_of_a_sample_is_its_own_and_not_that_of_a_batch() -> None:
    images = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    other = images.flip(-1)
    alone = torch.cat([reconstruction_error("norm", other[i : i + 1], images[i : i + 1]) for i in range(8)])
    torch.testing.assert_close(reconstruction_error("norm", other, images), alone)


def test_the_norm_is_the_default_and_what_the_papers_recipes_use() -> None:
    assert AutoencoderEnergy().unit == "norm"
    for name in ("mnist.ebgan", "mnist.ebgan_pt", "mnist.ebgan_decay"):
        assert RECIPES[name].make().energy == AutoencoderEnergy(unit="norm")


@pytest.mark.parametrize(("pixels", "margin", "share"), MARGINS.values(), ids=MARGINS)
def test_a_paper_margin_is_the_energy_of_its_share_of_error_on_every_pixel(
    pixels: int, margin: float, share: float
) -> None:
    images = torch.zeros(1, 1, 1, pixels, dtype=torch.float64)
    off_everywhere = images + margin / math.sqrt(pixels)
    assert reconstruction_error("norm", off_everywhere, images).item() == pytest.approx(margin)
    assert off_everywhere[0, 0, 0, 0].item() == pytest.approx(share, abs=5e-5)
    # The worst that a decoder in [-1, 1] can do reaches every margin in this unit and none in the mean square's.
    worst, black = torch.ones_like(images), -torch.ones_like(images)
    assert reconstruction_error("norm", worst, black).item() == pytest.approx(2 * math.sqrt(pixels))
    assert reconstruction_error("norm", worst, black).item() > margin > reconstruction_error("mse", worst, black).item()


def test_no_net_is_asked_for_more_than_its_kind_has() -> None:
    with pytest.raises(ValueError, match="auto-encoder"):
        AutoencoderEnergy().check(nn.Linear(2, 2))
