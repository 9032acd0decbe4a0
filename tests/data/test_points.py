import numpy as np
import pytest
import torch

from ebgan.data import TOYS, Loader, Points, from_array, open_points
from ebgan.errors import DataError
from ebgan.randomness import Randomness


def loader(data: Points, batch: int = 8, **options: object) -> Loader:
    return Loader(data, batch=batch, randomness=Randomness.of(3), limits=None, **options)


def test_a_toy_is_found_by_its_name_and_an_unknown_one_refused_with_the_names() -> None:
    points = open_points("toy.ring")
    assert (len(points), points.shape, points.classes) == (100_000, (2, 1, 1), ())
    assert open_points("toy.line").shape == (1, 1, 1)
    with pytest.raises(DataError, match=r"toy\.rung: no toy of that name; expected one of toy\.line"):
        open_points("toy.rung")


def test_points_are_images_of_one_pixel_and_served_as_they_are() -> None:
    points = Points(TOYS["toy.grid"], "toy.grid", 50)
    assert points.images.shape == (50, 2, 1, 1)
    assert points.images.dtype == np.float32
    served = next(loader(points, 50).batches(0))
    assert served.labels is None
    assert sorted(served.images.flatten().tolist()) == sorted(points.images.ravel().tolist())


def test_the_order_goes_on_where_it_is_asked_to() -> None:
    points = Points(TOYS["toy.moons"], count=20)
    batches = loader(points).batches(0)
    served = torch.cat([next(batches).images for _ in range(6)])
    assert torch.equal(next(loader(points).batches(24)).images, served[24:32])
    ranks = [next(loader(points, rank=rank, ranks=2).batches(0)).images for rank in range(2)]
    assert torch.equal(torch.cat(ranks), served[:8])


def test_the_checksum_says_which_density_and_how_many() -> None:
    ring, grid = TOYS["toy.ring"], TOYS["toy.grid"]
    sums = {Points(ring).checksum, Points(ring, count=5).checksum, Points(grid).checksum}
    assert len(sums) == 3
    assert Points(ring, "another name").checksum == Points(ring).checksum


def test_points_have_no_limits_and_images_have() -> None:
    with pytest.raises(ValueError, match=r"data\.limits=\(-1\.0, 1\.0\): points are points.* give --data.limits None"):
        Loader(Points(TOYS["toy.ring"]), batch=8, randomness=Randomness.of(0))
    images = from_array(np.zeros((4, 3, 3), np.uint8))
    with pytest.raises(ValueError, match=r"data\.limits=null: images are images, .* give --data.limits -1 1"):
        Loader(images, batch=2, randomness=Randomness.of(0), limits=None)
