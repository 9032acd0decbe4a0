"""What a run trains on: images, whole or cropped and flipped, or points."""

from ebgan.data.augmented import Augmented
from ebgan.data.packed import Packed
from ebgan.data.points import Points

Images = Packed | Augmented
Dataset = Images | Points
