"""Data: packed sets of images, where they come from, and the loader that serves them."""

from ebgan.data.arrays import from_array
from ebgan.data.fetch import fetch
from ebgan.data.labelled_loader import LabelledLoader
from ebgan.data.labels import draw_labelled, with_labels
from ebgan.data.loader import Loader, scaled
from ebgan.data.packed import UNKNOWN, Packed, open_packed, write_packed
from ebgan.data.points import Points, open_points
from ebgan.data.sources import SOURCES, data_folder, open_data
from ebgan.data.toy import TOYS, Density

__all__ = [
    "SOURCES",
    "TOYS",
    "UNKNOWN",
    "Density",
    "LabelledLoader",
    "Loader",
    "Packed",
    "Points",
    "data_folder",
    "draw_labelled",
    "fetch",
    "from_array",
    "open_data",
    "open_packed",
    "open_points",
    "scaled",
    "with_labels",
    "write_packed",
]
