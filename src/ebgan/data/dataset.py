"""The types of data that a run trains on: images, augmented images or points."""

from ebgan.data.augmented import Augmented
from ebgan.data.packed import Packed
from ebgan.data.points import Points

Images = Packed | Augmented
Dataset = Images | Points
