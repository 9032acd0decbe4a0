"""Appendix E's rule and appendix D's remark, on real digits: the auto-encoder alone, and padding."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ebgan.data import open_data
from ebgan.experiment.building import build
from ebgan.recipes import RECIPES
from ebgan.records import Batch
from ebgan.training.step import train_step

MEAN_IMAGE = 14.43  # mean distance of MNIST from its mean image: the energy of a net that learnt no more


@pytest.fixture(scope="module")
def mnist(data_folder: Path) -> Tensor:
    if not (data_folder / "mnist").is_dir():
        pytest.skip(f"no mnist in {data_folder}")
    return torch.tensor(open_data(str(data_folder / "mnist")).images[:24_000])


def padded(images: Tensor, padding: int) -> Tensor:
    return torch.nn.functional.pad(images, [padding] * 4) / 127.5 - 1


def final_energy(images: Tensor, width: int, steps: int) -> float:
    """The mean energy of the data at the end of `steps` turns of a discriminator that plays alone."""
    recipe = RECIPES["mnist.ebgan"].make()
    nets = replace(
        recipe.nets,
        generator=replace(recipe.nets.generator, depth=2, width=8),
        discriminator=replace(recipe.nets.discriminator, width=width),
    )
    game, progress = build(replace(recipe, nets=nets), tuple(images.shape[1:]))
    batches = iter(images[: steps * 64].split(64))
    for _ in range(steps):
        progress, outcome = train_step(game, progress, lambda: Batch(next(batches)), turns=(1, 0))
    return outcome.values["energy_real"].item()


def test_alone_it_falls_well_below_the_mean_image_within_two_fifths_of_an_epoch(mnist: Tensor) -> None:
    images = padded(mnist, 2)
    distance = (images - images.mean(0)).flatten(1).norm(dim=1).mean().item()
    assert distance == pytest.approx(MEAN_IMAGE, abs=0.2)
    assert final_energy(images, width=512, steps=375) < 0.6 * MEAN_IMAGE


def test_padding_makes_no_difference_in_kind(mnist: Tensor) -> None:
    bare, around = final_energy(padded(mnist, 0), 256, 60), final_energy(padded(mnist, 2), 256, 60)
    assert around == pytest.approx(bare, rel=0.1)
