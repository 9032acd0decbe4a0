from itertools import islice

import numpy as np
import pytest
import torch
from torch import Tensor

from ebgan.data import Augmented, Images, Loader, Packed, loader
from ebgan.errors import UsageError
from ebgan.experiment import Data
from ebgan.randomness import Randomness

# Every pixel says where it is: its row in the red, its column in the green, the image's number in the blue.
ROWS, COLUMNS = np.mgrid[:9, :11].astype(np.uint8)
WHOLE = Packed(np.stack([np.stack((ROWS, COLUMNS, np.full_like(ROWS, number))) for number in range(20)]))


def augmented(crop: int | None = 4, flip: bool = True, seed: int | list[int] = 0, **options) -> Tensor:
    """All 20 images as they are served once, or by the models of a stack."""
    images = torch.tensor(WHOLE.images)
    seeds = torch.tensor(seed)
    images = images.expand(*seeds.shape, *images.shape)
    where = {"purpose": "data", "first": 0, **options}
    return Augmented(WHOLE, crop, flip).augmented(images, Randomness.of(seeds), **where)


def served(data: Images, count: int, first: int = 0, **options) -> Tensor:
    """Batches of six, one after the other, as bytes."""
    batches = Loader(data, batch=6, randomness=Randomness.of(0), limits=(0, 1), **options).batches(first)
    return torch.cat([batch.images for batch in islice(batches, count)]).mul(255).round().byte()


def test_a_piece_is_a_square_of_its_image_or_the_mirror_of_one() -> None:
    for number, piece in enumerate(augmented()):
        rows, columns, numbers = piece.int()
        assert (numbers == number).all()
        assert rows.diff(dim=0).eq(1).all()
        assert rows.diff(dim=1).eq(0).all()
        steps = columns.diff(dim=1)
        assert steps.eq(1).all() or steps.eq(-1).all()


def test_every_place_and_both_sides_come_equally_often() -> None:
    pieces = torch.cat([augmented(first=20 * turn) for turn in range(600)])
    top, left = pieces[:, 0].amin((1, 2)).long(), pieces[:, 1].amin((1, 2)).long()
    counts = torch.bincount(top * 8 + left, minlength=48).double()
    assert len(counts) == 48  # 9 - 4 + 1 tops, and 11 - 4 + 1 lefts
    assert (counts / 250 - 1).square().sum() * 250 < 80  # chi squared of 47 degrees: 1 in 500 is above
    mirrored = (pieces[:, 1, 0, 0] > pieces[:, 1, 0, 1]).double().mean()
    assert abs(mirrored - 0.5) < 0.015


def test_seed_purpose_and_place_decide_and_nothing_else_does() -> None:
    once = augmented()
    assert torch.equal(once, augmented())
    assert not torch.equal(once, augmented(seed=1))
    assert not torch.equal(once, augmented(purpose="probe"))
    assert not torch.equal(once, augmented(first=20))


def test_a_stack_of_models_augments_each_model_as_it_is_augmented_alone() -> None:
    together = augmented(seed=[3, 8])
    for model, seed in enumerate((3, 8)):
        assert torch.equal(together[model], augmented(seed=seed))


def test_flips_alone_keep_the_whole_image_and_crops_alone_never_flip() -> None:
    flipped = augmented(crop=None)
    whole = torch.tensor(WHOLE.images)
    sides = [(torch.equal(f, w), torch.equal(f, w.flip(-1))) for f, w in zip(flipped, whole, strict=True)]
    assert {(True, False), (False, True)} == set(sides)
    assert augmented(flip=False)[:, 1].int().diff(dim=-1).eq(1).all()


@pytest.mark.parametrize("resident", [True, False])
def test_the_loader_augments_the_same_from_the_device_and_the_host_at_any_start_and_on_any_rank(resident) -> None:
    data = Augmented(WHOLE, 4, flip=True)
    whole = served(data, 8, resident=True)
    assert whole.shape == (48, 3, 4, 4)
    assert torch.equal(served(data, 8, resident=resident), whole)
    assert torch.equal(served(data, 3, first=18, resident=resident), whole[18:36])
    ranks = [served(data, 8, rank=rank, ranks=2, resident=resident).unflatten(0, (8, 3)) for rank in range(2)]
    assert torch.equal(torch.cat(ranks, 1).flatten(0, 1), whole)


def test_augmenting_leaves_the_order_as_it_is_and_each_epoch_takes_other_pieces() -> None:
    plain, pieces = served(WHOLE, 10), served(Augmented(WHOLE, 4, flip=True), 10)
    assert torch.equal(plain[:, 2, 0, 0], pieces[:, 2, 0, 0])
    number = int(pieces[0, 2, 0, 0])
    again = pieces[pieces[:, 2, 0, 0] == number]
    assert len(again) == 3
    assert len({piece.numpy().tobytes() for piece in again}) > 1


def test_large_sets_are_judged_large_by_what_is_kept(monkeypatch) -> None:
    monkeypatch.setattr(loader, "RESIDENT_BYTES", WHOLE.images.size)
    assert not Loader(Augmented(WHOLE, 1), batch=1, randomness=Randomness.of(0)).resident


def test_what_is_looked_at_is_the_centre_and_the_checksum_that_of_the_whole() -> None:
    data = Augmented(WHOLE, 5, flip=True)
    assert data.shape == data.images.shape[1:] == (3, 5, 5)
    np.testing.assert_array_equal(data.images, WHOLE.images[:, :, 2:7, 3:8])
    assert np.shares_memory(data.images, WHOLE.images)
    assert data.checksum == WHOLE.checksum
    assert Augmented(WHOLE, flip=True).images is WHOLE.images


def test_the_experiment_s_data_are_padded_before_they_are_cropped() -> None:
    data = Data(source="digits", size=8, padding=2, crop=8, flip=True).open()
    assert isinstance(data, Augmented)
    assert (data.whole.shape, data.shape) == ((1, 12, 12), (1, 8, 8))
    assert isinstance(Data(source="digits").open(), Packed)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"crop": 4}, "data.crop=4: needs data.size, the size of the images that it is cut from"),
        ({"crop": 0, "size": 8}, "data.crop=0: expected at least 1"),
        ({"crop": 9, "size": 8}, "data.crop=9: digits: images are 8 x 8; expected at most 8"),
        ({"flip": True, "source": "toy.ring"}, "data.crop and data.flip are for images; toy.ring is a toy of points"),
    ],
)
def test_augmentations_that_make_no_sense_are_refused_by_name(fields, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Data(**fields).open()
