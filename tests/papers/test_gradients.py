"""EBGAN, section 2.3: the directions in which the images of a batch pull a discriminator's weights."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ebgan.data import open_data, scaled
from ebgan.experiment.building import build
from ebgan.objectives import EBGAN
from ebgan.records import Batch
from ebgan.reproductions.theory.gradients import FAR, SIDES, alignment, claims_of, per_image, setting, watch

IMAGES = scaled(torch.tensor(open_data("digits").images[:6]), (-1.0, 1.0))


def in_the_plane(*degrees: float) -> Tensor:
    return torch.tensor([[math.cos(math.radians(angle)), math.sin(math.radians(angle))] for angle in degrees])


@pytest.mark.parametrize(
    ("gradients", "cosine", "absolute", "directions"),
    [
        (torch.eye(4), 0, 0, 4),
        (torch.ones(4, 3), 1, 1, 1),
        (torch.tensor([[1.0, 2.0], [-3.0, -6.0]]), -1, 1, 1),
        (in_the_plane(0, 60), 0.5, 0.5, 1.6),
        (torch.diag(torch.tensor([1.0, 5.0, 0.0])), 0, 0, 2),
    ],
    ids=["orthogonal", "equal", "opposite", "at 60 degrees", "one of them 0"],
)
def test_the_alignment_of_gradients(gradients: Tensor, cosine: float, absolute: float, directions: float) -> None:
    found = alignment(gradients)
    assert found[:3] == pytest.approx((cosine, absolute, directions), abs=1e-6)
    assert found.pulling == int((gradients.norm(dim=-1) > 0).sum())


@pytest.mark.parametrize("side", SIDES, ids=lambda side: side.title)
@pytest.mark.parametrize("place", [0, 1], ids=["data", "samples"])
def test_the_mean_over_images_of_their_gradients_is_the_gradient_of_the_batch(side, place: int) -> None:
    game, progress = build(setting(side, "digits"), (1, 8, 8))
    reading = game.read(IMAGES)
    losses = game.objective.discriminator(progress.objective, reading, reading, Batch(IMAGES))
    weights = list(game.discriminator.net.parameters())
    whole = torch.autograd.grad(list(losses.terms.values())[place], weights, allow_unused=True)
    expected = torch.cat([each.flatten() for each in whole])
    torch.testing.assert_close(per_image(game, progress, IMAGES, place).mean(0), expected)


def test_what_the_logistic_loss_says_of_data_and_of_samples_differs_in_sign_alone() -> None:
    logistic, autoencoder = (build(setting(side, "digits"), (1, 8, 8)) for side in SIDES)
    data, samples = (per_image(*logistic, IMAGES, place) for place in (0, 1))
    torch.testing.assert_close(torch.cosine_similarity(data, samples), -torch.ones(6))
    data, samples = (per_image(*autoencoder, IMAGES, place) for place in (0, 1))
    assert not samples.any()  # before training a digit's energy is above the margin, where the hinge rests
    assert (data.norm(dim=-1) > 0).all()


def test_under_the_margin_the_hinge_pulls_against_the_data() -> None:
    game, progress = build(replace(setting(SIDES[1], "digits"), objective=EBGAN(margin=100.0)), (1, 8, 8))
    data, samples = (per_image(game, progress, IMAGES, place) for place in (0, 1))
    torch.testing.assert_close(samples, -data)


def test_after_some_training_the_auto_encoder_is_pulled_more_ways_than_the_logistic_discriminator() -> None:
    data = open_data("digits")
    looks = {side.title: watch(setting(side, "digits"), data, steps=90) for side in SIDES}
    assert [look.images for look in looks["logistic"]][-1] == 90 * 64
    assert min(look.data.absolute for look in looks["logistic"]) > FAR
    logistic, autoencoder = (looks[side.title][-1].data for side in SIDES)
    assert autoencoder.absolute < logistic.absolute - 0.3
    assert autoencoder.directions > 2 * logistic.directions
    assert len(claims_of("digits", looks)) == 8
