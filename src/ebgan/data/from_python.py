"""Data given as Python objects: arrays, sequences of images, and datasets of torch and Hugging Face.

A dataset is any object with a length and items. An item is an image, a tuple that begins with an image and may go on
with its class, or a mapping with an image under one of the usual keys. All items are read once, into memory, as uint8.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, RandomSampler, SequentialSampler

from ebgan.data.arrays import from_array
from ebgan.data.given import SLACK, Limits, as_tensor, convert_floats, convert_integers, picture_pixels
from ebgan.data.packed import UNKNOWN, Packed
from ebgan.data.picture import channels_first
from ebgan.errors import DataError, UsageError

IMAGES = ("image", "img", "images", "pixel_values", "x")  # keys of the image in a mapping
LABELS = ("label", "labels", "fine_label", "y")  # keys of the class in a mapping


class Item(NamedTuple):
    """An image of a dataset and its label."""

    image: object
    label: object = None


def read_given(
    data: object,
    *,
    size: int | None = None,
    channels: int | None = None,
    white: int | None = None,
    limits: Limits | None = None,
) -> Packed:
    """A set from an array, a tensor, a sequence of images or a dataset of torch or Hugging Face.

    Floats are scaled to uint8 from `limits`, the values of black and white. Pillow pictures are cropped and resized to
    `size` and converted to `channels`; None leaves them as they are. `white` is the white level of 16-bit pictures.
    Raises UsageError or DataError that says what to do.
    """
    if limits is not None and not limits[0] < limits[1]:
        raise UsageError(f"data_limits={limits}: expected two numbers, black and white, black below white")
    if isinstance(data, Packed):
        return data
    if isinstance(data, Tensor | np.ndarray):
        packed = from_array(as_bytes(data, limits))
        _check_size("images", packed, size)
        return packed
    dataset = _dataset(data)
    return _Reader(dataset, _columns(dataset), limits, _Look(size, channels, white)).read()


def as_bytes(images: Tensor | NDArray[Any], limits: Limits | None, name: str = "images") -> NDArray[np.uint8]:
    """Images of any layout as uint8. Raises DataError for values outside `limits`, and for floats without `limits`."""
    numbers = as_tensor(images).cpu()
    if numbers.dtype.is_floating_point or limits is not None:
        numbers = numbers.double()
        if not numbers.isfinite().all():
            raise DataError(f"{name} hold numbers that are not finite (NaN or infinite): leave these images out")
        return _rounded(numbers.numpy(), limits, name)
    array: NDArray[Any] = numbers.numpy()
    if array.dtype != np.uint8:
        raise DataError(
            f"{name} are {array.dtype}; expected uint8 from 0 to 255, or floats: {convert_integers(numbers)}"
        )
    return array


def _rounded(images: NDArray[np.float64], limits: Limits | None, name: str) -> NDArray[np.uint8]:
    if not images.size:
        raise DataError(f"{name}: there are none")
    least, most = float(images.min()), float(images.max())
    low, high = limits or (0.0, 0.0)
    slack = SLACK * (high - low)
    if limits is None or least < low - slack or most > high + slack:
        beyond = "and their range is not stated" if limits is None else f"beyond data_limits={limits}"
        raise DataError(
            f"{name} are numbers from {least:g} to {most:g}, {beyond}: {convert_floats(least, most, 'data_limits')}"
        )
    pixels: NDArray[np.uint8] = np.rint(((images - low) / (high - low)).clip(0, 1) * 255).astype(np.uint8)
    return pixels


def _check_size(name: str, packed: Packed, size: int | None) -> None:
    _, height, width = packed.shape
    if size not in (None, height) or size not in (None, width):
        raise DataError(
            f"{name}: {height} x {width} pixels, but data.size is {size}, and arrays are not resized: give Pillow "
            f"pictures, or set data.size={height if height == width else None}"
        )


def _dataset(data: Any) -> Any:
    """The data as an object with a length and items. Raises UsageError that says what to give for other objects."""
    if isinstance(data, DataLoader):
        if not isinstance(data.sampler, RandomSampler | SequentialSampler):
            raise UsageError(
                f"data: a DataLoader with a {type(data.sampler).__name__}, which may leave images out: give a dataset "
                "of the images to train on (torch.utils.data.Subset)"
            )
        return _dataset(data.dataset)
    kind = type(data).__name__
    if isinstance(data, Mapping):
        raise UsageError(f"data: a {kind} of {', '.join(map(str, data)) or 'nothing'}: give one of them, as data[NAME]")
    if isinstance(data, IterableDataset) or not hasattr(data, "__len__") or not hasattr(data, "__getitem__"):
        raise UsageError(
            f"data: a {kind}; expected a path, uint8 images, a Hugging Face dataset, or a torch Dataset with a length "
            "and items. Give an iterable as list(...)"
        )
    if isinstance(data, str | bytes) or not len(data):
        raise DataError(f"data: a {kind} of length {len(data)}; expected images")
    return data


class _Columns(NamedTuple):
    """The columns of a dataset with image and label, and the names of its classes."""

    image: str | None
    label: str | None
    classes: tuple[str, ...]


def _columns(dataset: Any) -> _Columns:
    """Find the columns: in a Hugging Face dataset by its features, in other mappings by the usual keys."""
    classes = tuple(map(str, _attribute(dataset, "classes")))
    features = getattr(dataset, "features", None)
    if isinstance(features, Mapping):
        kinds = {name: type(feature).__name__ for name, feature in features.items()}
        image = _only([name for name, kind in kinds.items() if kind == "Image"], kinds, "Image")
        labels = [name for name, kind in kinds.items() if kind == "ClassLabel"]
        label = next((name for name in LABELS if name in labels), labels[0] if len(labels) == 1 else None)
        return _Columns(image, label, tuple(map(str, features[label].names)) if label else ())
    first = dataset[0]
    if not isinstance(first, Mapping):
        return _Columns(None, None, classes)
    held = next((name for name in IMAGES if name in first), None)
    if held is None:
        raise DataError(f"data: items hold {', '.join(map(str, first))}; expected an image under {', '.join(IMAGES)}")
    return _Columns(held, next((name for name in LABELS if name in first), None), classes)


def _only(found: list[str], kinds: Mapping[str, str], kind: str) -> str:
    """The one column of a kind, or the first with a usual name. Raises DataError if there is neither."""
    usual = [name for name in IMAGES if name in (found or kinds)]
    if len(found) == 1 or usual:
        return found[0] if len(found) == 1 else usual[0]
    held = ", ".join(f"{name} ({kind})" for name, kind in kinds.items())
    raise DataError(f"data: expected one column of kind {kind}, or named {' or '.join(IMAGES)}; there are {held}")


def _attribute(dataset: Any, name: str) -> tuple[object, ...]:
    """A list or tuple attribute of a dataset, or of the dataset that it is a subset of; () if there is none."""
    while dataset is not None:
        if isinstance(found := getattr(dataset, name, None), list | tuple):
            return tuple(found)
        dataset = getattr(dataset, "dataset", None)
    return ()


class _Look(NamedTuple):
    """How pictures are turned into images."""

    size: int | None
    channels: int | None
    white: int | None


class _Reader:
    """Reads the items of a dataset into one array of bytes."""

    def __init__(self, dataset: Any, columns: _Columns, limits: Limits | None, look: _Look) -> None:
        self.dataset, self.columns, self.limits, self.look = dataset, columns, limits, look

    def read(self) -> Packed:
        """The set, with classes if any two images share one. Raises DataError with the index of a misfitting item."""
        count = len(self.dataset)
        images, labels = np.empty(0, np.uint8), np.full(count, UNKNOWN, np.int64)
        for index in range(count):
            item = self._item(index)
            pixels = self._pixels(item.image, f"data[{index}]")
            if not index:
                images = np.empty((count, *pixels.shape), np.uint8)
            images = self._fitted(images, pixels, index)
            images[index] = pixels
            labels[index] = _label(item.label)
        known = labels[labels != UNKNOWN]
        if len(np.unique(known)) == len(known):  # no labels, or all different: these number the images
            return Packed(images)
        classes = self.columns.classes if known.max() < len(self.columns.classes) else ()
        named = from_array(np.zeros((count, 1, 1), np.uint8), labels, classes)  # only its labels are used
        return Packed(images, named.labels, named.classes)

    def _item(self, index: int) -> Item:
        item: Any = self.dataset[index]
        if self.columns.image is not None:
            return Item(item[self.columns.image], item[self.columns.label] if self.columns.label else None)
        if isinstance(item, tuple | list) and item and isinstance(item[0], Tensor | np.ndarray | Image.Image):
            return Item(item[0], item[1] if len(item) > 1 else None)
        return Item(item)

    def _pixels(self, image: object, name: str) -> NDArray[np.uint8]:
        """An image as uint8 [C, H, W]."""
        if isinstance(image, Image.Image):
            grey = self.look.channels == 1 or (
                self.look.channels is None and image.mode in ("1", "L", "LA", "I", "I;16")
            )
            return channels_first(picture_pixels(image, self.look.size, self.look.white), 1 if grey else 3)
        if isinstance(image, list | tuple):
            image = np.asarray(image)
        if not isinstance(image, Tensor | np.ndarray):
            raise DataError(
                f"{name}: the image is a {type(image).__name__}; expected a Pillow picture, tensor or array (give "
                "files by their folder, as data=PATH)"
            )
        pixels: NDArray[np.uint8] = as_bytes(image, self.limits, name)
        if pixels.ndim not in (2, 3):
            raise DataError(f"{name}: has the shape {list(pixels.shape)}; expected [H, W], [H, W, C] or [C, H, W]")
        packed = from_array(pixels[None], name=name)
        _check_size(name, packed, self.look.size)
        only: NDArray[np.uint8] = packed.images[0]
        return only

    def _fitted(self, images: NDArray[np.uint8], pixels: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
        """The array so far, converted to colour at the first colour picture after grey ones."""
        if pixels.shape[1:] != images.shape[2:]:
            raise DataError(
                f"data[{index}]: is {pixels.shape[1]} x {pixels.shape[2]}, and data[0] is {images.shape[2]} x "
                f"{images.shape[3]}: give images of one size, or Pillow pictures and data.size"
            )
        return np.repeat(images, 3, axis=1) if len(pixels) > images.shape[1] else images


def _label(label: object) -> int:
    """The label as an int, or UNKNOWN if it is not an integer of 0 or more."""
    if isinstance(label, Tensor | np.ndarray | np.generic) and np.size(np.asarray(label)) == 1:
        label = np.asarray(label).item()
    whole = isinstance(label, int) and not isinstance(label, bool)
    return int(label) if whole and label >= 0 else UNKNOWN  # type: ignore[call-overload, operator]
