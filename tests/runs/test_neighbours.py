"""Whether the memorisation check tells a generator that repeats its data from one that does not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from ebgan.data import Augmented, Packed, open_data, scaled
from ebgan.errors import DataError
from ebgan.experiment import Experiment, Nets
from ebgan.nets.base import Generator
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.runs.loading import assemble
from ebgan.runs.neighbours import COUNT, SHOWN, find_neighbours, measure, picture
from ebgan.runs.run import DataFacts, Run


class Parrot(Generator):
    """A generator that says again what it has seen, however it is asked, with a little noise of its own."""

    noise = ((64,),)

    def __init__(self, images: Tensor, error: float) -> None:
        super().__init__()
        self.images, self.error = images, error

    def forward(self, *noise: Tensor) -> Tensor:
        (z,) = noise
        places = (z[:, 0].abs() * 1e4).long() % len(self.images)
        return self.images[places] + self.error * z.view(-1, 1, 8, 8)


@pytest.fixture(scope="module")
def data() -> Packed:
    return open_data("digits")


def run_of(data: Packed, error: float) -> Run:
    nets = Nets(generator=MLPGenerator(width=8), discriminator=MLPAutoencoder(width=16))
    facts = DataFacts(data.shape, data.classes, data.checksum)
    run = assemble(Experiment(nets=nets), facts, "cpu")
    return replace(run, generator=Parrot(scaled(torch.tensor(data.images), (-1.0, 1.0)), error))


def test_a_generator_that_repeats_its_data_is_nearer_to_it_than_real_images_are(data: Packed) -> None:
    metrics = measure(find_neighbours(run_of(data, 0.0), data)).metrics
    assert metrics["pixel_distance"] < 0.001
    assert metrics["feature_distance"] < 0.001
    assert metrics["pixel_distance_real"] > 1
    assert metrics["feature_distance_real"] > 0.001


def test_a_generator_of_new_images_is_no_nearer_than_real_images_are(data: Packed) -> None:
    metrics = measure(find_neighbours(run_of(data, 0.5), data)).metrics
    assert metrics["pixel_distance"] > metrics["pixel_distance_real"]


def test_neighbours_are_images_of_the_data_and_no_real_image_is_its_own(data: Packed) -> None:
    found = find_neighbours(run_of(data, 0.0), data)
    images = scaled(torch.tensor(data.images), (-1.0, 1.0))
    for near in (found.pixels, found.features):
        torch.testing.assert_close(images[near.place[: found.samples]], found.images[: found.samples])
    own = (images[found.pixels.place] - found.images).flatten(1).norm(dim=1)
    torch.testing.assert_close(own.double(), found.pixels.distance, atol=1e-4, rtol=0)
    assert own[found.samples :].min() > 0


def test_a_small_set_is_compared_whole(data: Packed) -> None:
    few = Packed(data.images[:20])
    found = find_neighbours(run_of(few, 0.1), few)
    assert len(found.images) == COUNT + 20
    assert measure(found).protocol["neighbours_of"] == "500 samples, 20 real images held out in turn"


def test_the_picture_shows_the_nearest_samples_and_real_images_each_with_two_neighbours(data: Packed) -> None:
    pixels = np.asarray(picture(find_neighbours(run_of(data, 0.0), data), data).convert("L"))
    top = int(((pixels[:, 12:252] < 99).sum(1) > 120).argmax())  # below the caption and the title
    corner = pixels[top : top + 80, 12 : 12 + 3 * 80 + 4]
    itself, by_pixels, by_features = corner[:, :80], corner[:, 82:162], corner[:, 164:]
    assert np.array_equal(itself, by_pixels)
    assert np.array_equal(itself, by_features)
    rows = 2 * SHOWN // 4
    assert pixels.shape[0] == rows * (80 + 2 * 22) + top - 33


def test_pieces_of_images_are_compared_by_their_centres(data: Packed) -> None:
    pieces = Augmented(Packed(np.pad(data.images[:60], ((0, 0), (0, 0), (2, 2), (2, 2)))), crop=8)
    run = run_of(Packed(data.images[:60]), 0.0)
    found = find_neighbours(replace(run, data=DataFacts(pieces.shape, (), pieces.checksum)), pieces)
    assert found.pixels.distance[: found.samples].max() < 0.001


def test_other_data_is_refused(data: Packed) -> None:
    with pytest.raises(DataError, match="not the data that the run was trained on"):
        find_neighbours(run_of(data, 0.0), Packed(data.images[:50]))
