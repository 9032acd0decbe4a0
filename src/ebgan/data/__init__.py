"""Data: packed sets of images, where they come from, and the loader that serves them."""

from ebgan.data.arrays import from_array
from ebgan.data.augmented import Augmented
from ebgan.data.collections import COLLECTIONS
from ebgan.data.fetch import fetch
from ebgan.data.loader import Loader, scaled
from ebgan.data.packed import Packed, open_packed, write_packed
from ebgan.data.points import Points, open_points
from ebgan.data.sources import SOURCES, data_folder, open_data
from ebgan.data.toy import TOYS, Density

__all__ = [
    "COLLECTIONS",
    "SOURCES",
    "TOYS",
    "Augmented",
    "Density",
    "Loader",
    "Packed",
    "Points",
    "data_folder",
    "fetch",
    "from_array",
    "open_data",
    "open_packed",
    "open_points",
    "scaled",
    "write_packed",
]
