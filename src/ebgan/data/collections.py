"""Sets of pictures that go by a name, but that everybody has to get for themselves.

Their owners give them out by hand, under terms of their own, or in shapes that differ from copy to copy. So a name is
looked up in the data folders under the names that the files usually have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ebgan.errors import DataError


@dataclass(frozen=True)
class Collection:
    """What the pictures are, and how folders or archives of them are called."""

    what: str
    files: tuple[str, ...] = ()
    packing: str = ""  # options of `ebgan pack` that make it of ImageNet's archive, where it is a part of that


COLLECTIONS = {
    "faces64": Collection(
        "aligned faces, such as CelebA's img_align_celeba or UTKFace's",
        ("faces64", "faces64.zip", "img_align_celeba", "img_align_celeba.zip", "utkface64_webp90.zip"),
    ),
    "bedrooms64": Collection(
        "bedrooms, such as those of LSUN",
        ("bedrooms64", "bedrooms64.zip", "bedroom_train_lmdb", "bedrooms64_webp90.zip"),
    ),
    "bedrooms96": Collection(
        "bedrooms of 96x96 or more, such as those of LSUN", ("bedrooms96", "bedrooms96.zip", "bedroom_train_lmdb")
    ),
    "imagenet128": Collection(
        "ImageNet's training images, a folder a class",
        ("imagenet128", "imagenet128.zip", "ILSVRC2012_img_train.tar"),
        "--size 128",
    ),
    "imagenet256_dogs": Collection(
        "ImageNet's 118 breeds of dogs, n02085620 to n02113978, a folder a breed",
        ("imagenet256_dogs", "imagenet256_dogs.zip", "dogs", "dogs.zip"),
        "--size 256 --classes dogs",
    ),
    "pictures": Collection("your own pictures"),
}


def find_collection(name: str, folders: Sequence[Path]) -> Path:
    """The first folder or archive that is there. Raises DataError that says what is wanted, and where."""
    wanted = COLLECTIONS[name]
    for folder in folders:
        for file in wanted.files:
            if (folder / file).exists():
                return folder / file
    if not wanted.files:
        raise DataError(f"{name}: these are {wanted.what}: give them, a folder or an archive, by --data PATH")
    made = f". `ebgan pack ILSVRC2012_img_train.tar {folders[0] / name} {wanted.packing}` makes it of all ImageNet"
    raise DataError(
        f"{name} is not here: these are {wanted.what}. Put a folder or an archive of them into {folders[0]} as "
        f"{', '.join(wanted.files[:-1])} or {wanted.files[-1]}, or give it by --data PATH"
        f"{made if wanted.packing else ''}"
    )
