"""Sets that are handed to `ebgan.train` in Python: read once as what they are, or refused at once with the mend."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from ebgan.data import from_array
from ebgan.data.from_python import read_given
from ebgan.errors import DataError, UsageError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 3, 4, 4), dtype=np.uint8)
LABELS = [0, 1, 1, 0, 1, 0]
PICTURES = [Image.fromarray(each) for each in PIXELS.transpose(0, 2, 3, 1)]
FLOATS = torch.tensor(PIXELS) / 255


class Items(Dataset):
    """A torch Dataset of whatever its items are."""

    def __init__(self, items: list[Any], classes: Any = None) -> None:
        self.items, self.classes = items, classes

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: int) -> Any:
        return self.items[place]


class Stream(IterableDataset):
    def __iter__(self) -> Iterator[int]:
        return iter(())


class Unsized(Dataset):
    def __getitem__(self, place: int) -> int:
        return 0


class Pair(NamedTuple):
    picture: object
    kind: int


class Rows:
    """What a Hugging Face dataset shows of itself: features by column, a length, and rows that are mappings."""

    def __init__(self, rows: list[dict[str, Any]], **features: object) -> None:
        self.rows, self.features, self.column_names = rows, features, list(features)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> dict[str, Any]:
        return self.rows[place]


def feature(kind: str, **fields: object) -> object:
    return type(kind, (), fields)()


@pytest.mark.parametrize(
    "given",
    [
        PIXELS,
        torch.tensor(PIXELS),
        from_array(PIXELS),
        PICTURES,
        tuple(PICTURES),
        list(PIXELS),
        Items(PICTURES),
        Items([(picture,) for picture in PICTURES]),
        Items([{"image": picture} for picture in PICTURES]),
        Items([{"pixel_values": each} for each in torch.tensor(PIXELS)]),
        TensorDataset(torch.tensor(PIXELS)),
        DataLoader(Items(PICTURES), batch_size=2, shuffle=True),
        ConcatDataset([Items(PICTURES[:2]), Items(PICTURES[2:])]),
        Subset(Items(PICTURES * 2), range(6)),
        Rows([{"photo": picture, "id": 1} for picture in PICTURES], photo=feature("Image"), id=feature("Value")),
        Rows([{"img": each.tolist()} for each in PIXELS.transpose(0, 2, 3, 1)], img=feature("Array3D")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_same_images_in_any_kind_of_set_are_the_same_set(given: object) -> None:
    lists = isinstance(given, Rows) and isinstance(given.rows[0].get("img"), list)
    packed = read_given(given, limits=(0, 255) if lists else None)
    np.testing.assert_array_equal(packed.images, PIXELS)
    assert packed.classes == ()


@pytest.mark.parametrize(
    ("images", "limits"),
    [
        (FLOATS, (0, 1)),
        (FLOATS.numpy().astype(np.float64), (0.0, 1.0)),
        (FLOATS * 2 - 1, (-1, 1)),
        (FLOATS * 255, (0, 255)),
        (TensorDataset(FLOATS), (0, 1)),
        (torch.tensor(PIXELS).long(), (0, 255)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_numbers_in_a_stated_range_become_the_bytes_that_they_were(images: object, limits: tuple[float, float]) -> None:
    np.testing.assert_array_equal(read_given(images, limits=limits).images, PIXELS)


@pytest.mark.parametrize(
    ("given", "classes"),
    [
        (Items(list(zip(PICTURES, LABELS, strict=True))), ("0", "1")),
        (Items(list(zip(PICTURES, LABELS, strict=True)), ["cat", "dog"]), ("cat", "dog")),
        (Subset(Items(list(zip(PICTURES, LABELS, strict=True)), ["cat", "dog"]), range(6)), ("cat", "dog")),
        (Items(list(map(Pair, PICTURES, LABELS)), ("cat", "dog")), ("cat", "dog")),
        (TensorDataset(torch.tensor(PIXELS), torch.tensor(LABELS)), ("0", "1")),
        (
            Rows(
                [{"image": picture, "label": label} for picture, label in zip(PICTURES, LABELS, strict=True)],
                image=feature("Image"),
                label=feature("ClassLabel", names=["cat", "dog"]),
            ),
            ("cat", "dog"),
        ),
        (Items([{"img": each, "y": np.int64(y)} for each, y in zip(PICTURES, LABELS, strict=True)]), ("0", "1")),
    ],
)
def test_classes_come_with_the_images(given: object, classes: tuple[str, ...]) -> None:
    packed = read_given(given)
    assert packed.labels is not None
    assert (packed.labels.tolist(), packed.classes) == (LABELS, classes)


@pytest.mark.parametrize("labels", [[0.5] * 6, ["cat"] * 6, [True] * 6, list(range(6)), [None] * 6, [-1] * 6])
def test_what_names_no_class_gives_none(labels: list[Any]) -> None:
    assert read_given(Items(list(zip(PICTURES, labels, strict=True)))).classes == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (FLOATS, r"numbers from 0 to 1, and their range is not stated: .*data_limits=\(0, 1\)"),
        (FLOATS * 2 - 1, r"their range is not stated: if -1 is black and 1 is white, give data_limits=\(-1, 1\)"),
        (TensorDataset(FLOATS * 255), r"data\[0\] are numbers .*data_limits=\(0, 255\)"),
        (FLOATS / 0, "not finite"),
        (torch.tensor(PIXELS).long(), "images are int64; expected uint8"),
        (PIXELS > 9, "images are bool; .*convert them to uint8, with 255 for True"),
        (Stream(), "data: a Stream; expected a path.*Give an iterable as list"),
        (Unsized(), "data: a Unsized; expected"),
        ((picture for picture in PICTURES), "data: a generator; .*Give an iterable as list"),
        (7, "data: a int; expected a path"),
        ([], "data: a list of length 0"),
        ({"train": PICTURES, "test": PICTURES}, r"data: a dict of train, test: give one of them, as data\[NAME\]"),
        (DataLoader(Items(PICTURES), sampler=SubsetRandomSampler([0, 1])), "with a SubsetRandomSampler.*Subset"),
        (DataLoader(Items(PICTURES), sampler=WeightedRandomSampler([1.0], 3)), "with a WeightedRandomSampler"),
        (["a.png", "b.png"], "the image is a str; .*give files by their folder"),
        (Items([{"photo": 1}]), "items hold photo; expected an image under image, img"),
        (Rows([{}], a=feature("Image"), b=feature("Image")), r"expected one column of kind Image.*a \(Image\)"),
        (Rows([{}], text=feature("Value")), r"expected one column of kind Image.*text \(Value\)"),
        (Rows([{"image": None}], image=feature("Image")), r"data\[0\]: the image is a NoneType"),
        ([PICTURES[0], PICTURES[1].resize((5, 4))], r"data\[1\]: is 4 x 5, and data\[0\] is 4 x 4"),
        (TensorDataset(torch.zeros(4, 2, dtype=torch.uint8)), r"data\[0\]: has the shape \[2\]"),
        (TensorDataset(torch.zeros(4, 4, 4, 4, dtype=torch.uint8)), r"data\[0\]: images have the shape"),
        ([Image.new("F", (4, 4))], "floating-point numbers has no known range"),
    ],
    ids=lambda value: None if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_set_of_images_is_refused_at_once_with_the_mend(given: object, said: str) -> None:
    with pytest.raises((UsageError, DataError), match=said):
        read_given(given)


def test_numbers_beyond_the_stated_range_are_refused() -> None:
    with pytest.raises(DataError, match=r"from -1 to 1, beyond data_limits=\(0, 1\)"):
        read_given(FLOATS * 2 - 1, limits=(0, 1))
    with pytest.raises(UsageError, match="expected two numbers, black and white, black below white"):
        read_given(FLOATS, limits=(1, 0))


def test_pictures_are_sized_and_arrays_of_another_size_are_refused() -> None:
    big = [picture.resize((9, 12)) for picture in PICTURES]
    assert read_given(big, size=4).shape == (3, 4, 4)
    assert read_given(big, size=4, channels=1).shape == (1, 4, 4)
    for given in (PIXELS, TensorDataset(torch.tensor(PIXELS))):
        with pytest.raises(DataError, match=r"4 x 4 pixels, but data\.size is 8, and arrays are not resized"):
            read_given(given, size=8)


def test_grey_pictures_stay_grey_until_one_is_in_colour() -> None:
    grey = [picture.convert("L") for picture in PICTURES]
    assert read_given(grey).shape == (1, 4, 4)
    mixed = read_given([*grey[:2], *PICTURES[2:]])
    np.testing.assert_array_equal(mixed.images[2:], PIXELS[2:])
    np.testing.assert_array_equal(mixed.images[0, 0], mixed.images[0, 2])
    np.testing.assert_array_equal(mixed.images[:2], read_given([*PICTURES[2:], *grey[:2]]).images[4:])


def test_every_item_is_read_once() -> None:
    class Counted(Items):
        read = 0

        def __getitem__(self, place: int) -> Any:
            self.read += 1
            return super().__getitem__(place)

    given = Counted(PICTURES)
    read_given(given)
    assert given.read <= len(PICTURES) + 1  # the first one is looked at beforehand
