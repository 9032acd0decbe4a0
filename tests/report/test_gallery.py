import numpy as np
import pytest
from PIL import Image

from ebgan.report import gallery


def test_pictures_keep_their_pixels_and_their_order() -> None:
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    made = np.asarray(
        gallery([(str(place), Image.new("RGB", (40, 30), each)) for place, each in enumerate(colours)], 2)
    )
    for place, colour in enumerate(colours):
        rows, columns = np.nonzero((made == colour).all(-1))
        assert len(rows) == 40 * 30
        assert (rows.min() > made.shape[0] // 2) == (place == 2)
        assert (columns.min() > made.shape[1] // 2) == (place == 1)


def test_a_gallery_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="one picture or more"):
        gallery([], 3)
