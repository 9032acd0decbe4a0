"""Data sets of images or points: reading, packing, labelling, and the loader that serves batches."""

from ebgan.data.arrays import from_array
from ebgan.data.augmented import Augmented
from ebgan.data.collections import COLLECTIONS
from ebgan.data.dataset import Dataset, Images
from ebgan.data.fetch import fetch
from ebgan.data.framing import Framing
from ebgan.data.labelled_loader import LabelledLoader
from ebgan.data.labels import draw_labelled, matched, with_labels
from ebgan.data.listing import Choice
from ebgan.data.loader import Loader, scaled
from ebgan.data.naming import By
from ebgan.data.packed import UNKNOWN, Packed, open_packed, write_packed
from ebgan.data.packing import PackResult, pack
from ebgan.data.points import Points, open_points
from ebgan.data.sources import SOURCES, data_folder, open_data
from ebgan.data.toy import TOYS, Density

__all__ = [
    "COLLECTIONS",
    "SOURCES",
    "TOYS",
    "UNKNOWN",
    "Augmented",
    "By",
    "Choice",
    "Dataset",
    "Density",
    "Framing",
    "Images",
    "LabelledLoader",
    "Loader",
    "PackResult",
    "Packed",
    "Points",
    "data_folder",
    "draw_labelled",
    "fetch",
    "from_array",
    "matched",
    "open_data",
    "open_packed",
    "open_points",
    "pack",
    "scaled",
    "with_labels",
    "write_packed",
]
