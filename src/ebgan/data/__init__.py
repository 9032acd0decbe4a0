"""Data: packed sets of images, where they come from, and the loader that serves them."""

from ebgan.data.arrays import from_array
from ebgan.data.fetch import fetch
from ebgan.data.loader import Loader, scaled
from ebgan.data.packed import Packed, open_packed, write_packed
from ebgan.data.sources import SOURCES, data_folder, open_data

__all__ = [
    "SOURCES",
    "Loader",
    "Packed",
    "data_folder",
    "fetch",
    "from_array",
    "open_data",
    "open_packed",
    "scaled",
    "write_packed",
]
