"""Named sets of pictures that the user has to obtain: CelebA, LSUN, ImageNet and others.

They cannot be downloaded automatically, because of their licences or because copies differ. A name is looked up in the
data folders under the file names that are usual for the set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ebgan.errors import DataError


@dataclass(frozen=True)
class Collection:
    """A named set of pictures."""

    what: str  # a description for messages
    files: tuple[str, ...] = ()  # usual names of its folder or archive
    packing: str = ""  # options of `ebgan pack` that make the set from ImageNet's archive, if it is part of ImageNet


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
        "ImageNet's training images, one folder per class",
        ("imagenet128", "imagenet128.zip", "ILSVRC2012_img_train.tar"),
        "--size 128",
    ),
    "imagenet256_dogs": Collection(
        "ImageNet's 118 breeds of dogs, n02085620 to n02113978, one folder per breed",
        ("imagenet256_dogs", "imagenet256_dogs.zip", "dogs", "dogs.zip"),
        "--size 256 --classes dogs",
    ),
    "pictures": Collection("your own pictures"),
}


def find_collection(name: str, folders: Sequence[Path]) -> Path:
    """The first folder or archive of a named set in these folders. Raises DataError that says what to put where."""
    wanted = COLLECTIONS[name]
    for folder in folders:
        for file in wanted.files:
            if (folder / file).exists():
                return folder / file
    if not wanted.files:
        raise DataError(f"{name}: these are {wanted.what}: give their folder or archive by --data PATH")
    command = f". `ebgan pack ILSVRC2012_img_train.tar {folders[0] / name} {wanted.packing}` makes it from ImageNet"
    raise DataError(
        f"{name} was not found: it is {wanted.what}. Put a folder or an archive of them into {folders[0]} as "
        f"{', '.join(wanted.files[:-1])} or {wanted.files[-1]}, or give it by --data PATH"
        f"{command if wanted.packing else ''}"
    )
