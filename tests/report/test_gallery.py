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


TITLES = (
    "the Ladder network without its generator, 100 labels, seed 3",
    "experts, generator at rest",
    "incomprehensibilities",
    "rho 0.01",
    "",
    "a  b",
    "m" * 60,
    "EBGAN-PT, I' 2.13",
    "digits: transitions",
    "one of them is Real Images In The Same Layout",
)


@pytest.mark.parametrize("side", [60, 200])
@pytest.mark.parametrize("title", TITLES)
def test_a_title_stays_above_its_own_picture(title: str, side: int) -> None:
    white = Image.new("RGB", (side, 20), "white")
    alone = np.asarray(gallery([(title, white), ("", white)], 2))
    assert (alone[:, side + 24 :] == 255).all() or len(max(title.split(), key=len)) > side // 5  # a word
    assert (alone != 255).any() == bool(title.strip())


def test_titles_of_any_length_cover_no_picture() -> None:
    red = Image.new("RGB", (100, 30), (255, 0, 0))
    made = np.asarray(gallery([(title, red) for title in TITLES[:2]], 2))
    assert (made == (255, 0, 0)).all(-1).sum() == 2 * 100 * 30


def test_a_caption_stands_above_all() -> None:
    red = Image.new("RGB", (80, 30), (255, 0, 0))
    plain, captioned = (np.asarray(gallery([("t", red)] * 3, 3, text)) for text in ("", "what all of these show, " * 4))
    assert captioned.shape[1] == plain.shape[1]
    assert captioned.shape[0] > plain.shape[0] + 60
    assert (captioned[-plain.shape[0] :] == plain).all()


def test_a_gallery_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="one picture or more"):
        gallery([], 3)
