"""The data of an experiment: which images or points, how they are served, and the images whose class is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ebgan.data import Augmented, By, Dataset, Images, Packed, open_data, open_points, with_labels
from ebgan.data.naming import check_by
from ebgan.data.picture import check_white
from ebgan.errors import NoSplitError, UsageError, check_least, check_most, check_number
from ebgan.tree_walk import aside

MOST_IN_BATCH = 2**24  # images, or points
MOST_PIXELS = 2**14  # of an image's side
MOST_WORKERS = 1024


@dataclass(frozen=True, kw_only=True)
class Data:
    """Which images, and how they are served."""

    source: str = aside(
        "digits", "place"
    )  # a known set (digits, mnist, cifar10...), a folder or file, or a toy (toy.ring...)
    size: int | None = None  # height and width that a folder's images are resized and cropped to
    channels: int | None = None  # 1 grey, 3 colour; by default as the images are
    padding: int = 0  # black pixels added on each side: 2 makes MNIST's 28x28 the paper's 32x32 (appendix D)
    crop: int | None = None  # height and width of a piece cut from each training image at random; needs `size`
    flip: bool = False  # whether every second training image, at random, is mirrored from left to right
    limits: tuple[float, float] | None = (-1.0, 1.0)  # the range that pixels are brought to; null for toys' points
    classes: By = "auto"  # whether folders name classes: auto (unless they are shards), folders or none
    white: int | None = None  # the level of 16-bit pictures that is white: 4095 if they hold 12 bits; null is 65,535
    labels: str | None = aside(None, "place")  # a CSV file with the classes of some of a folder's images: image,label
    workers: int = aside(0, "habit")  # processes that read images, if the set is too large to be kept on the device

    def __post_init__(self) -> None:
        check_least("data", 1, size=self.size, crop=self.crop, channels=self.channels)
        check_least("data", 0, padding=self.padding, workers=self.workers)
        check_by(self.classes)
        check_least("data", 1, white=self.white)
        check_white(self.white)
        check_most("data", MOST_PIXELS, size=self.size, crop=self.crop, padding=self.padding)
        check_most("data", MOST_WORKERS, workers=self.workers)
        if self.channels not in (None, 1, 3):
            raise UsageError(f"data.channels={self.channels}: expected 1 (grey) or 3 (colour)")
        if self.crop and not self.size:
            raise UsageError(f"data.crop={self.crop}: needs data.size, the size of the images that it is cut from")
        if (self.crop or self.flip) and self.source.startswith("toy."):
            raise UsageError(f"data.crop and data.flip are for images; {self.source} is a toy of points")

    @property
    def side(self) -> int | None:
        """The height and width of the training images, if set."""
        return self.crop or (self.size and self.size + 2 * self.padding)

    def open(self) -> Dataset:
        """The images, or a toy's points. Raises DataError, with the mend, if they cannot be read."""
        if self.source.startswith("toy."):
            return open_points(self.source)
        return self.prepared(self._labelled(self._read("train", self.channels)))

    def open_test(self, channels: int | None = None) -> Packed | None:
        """The test images of the source, uncropped; None if it has no test set.

        `channels` are those of the training images, to read pictures alike. Raises DataError if a test set cannot be
        read.
        """
        try:
            images = self._read("test", channels or self.channels)
        except NoSplitError:
            return None
        return images.padded(self.padding) if self.padding else images

    def prepared(self, images: Packed) -> Images:
        """Add `padding` to images, and let them be cropped and flipped as set."""
        padded = images.padded(self.padding) if self.padding else images
        return Augmented(padded, self.crop, self.flip) if self.crop or self.flip else padded

    def _read(self, split: str, channels: int | None) -> Packed:
        return open_data(
            self.source, split=split, size=self.size, channels=channels, classes=self.classes, white=self.white
        )

    def _labelled(self, images: Packed) -> Packed:
        return images if self.labels is None else with_labels(images, Path(self.labels).expanduser())


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """The labelled images, for objectives that learn classes from few labels."""

    count: int | None = 100  # images, as many of each class, drawn by the seed; null for all that have a label
    batch: int = 100  # labelled images in a discriminator's turn, over all ranks
    held_out: float = 0.2  # share of the labels kept to measure the error if count is null and there is no test set

    def __post_init__(self) -> None:
        check_least("labelled", 1, count=self.count, batch=self.batch)
        check_most("labelled", MOST_IN_BATCH, batch=self.batch)
        check_number("labelled", "from 0 to below 1", held_out=self.held_out)
