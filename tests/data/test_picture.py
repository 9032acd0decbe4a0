import numpy as np
import pytest
from PIL import Image

from ebgan.data.picture import decode_picture

RANDOM = np.random.default_rng(3)
COLOUR = RANDOM.integers(0, 256, (6, 6, 3), dtype=np.uint8)
GREY = RANDOM.integers(0, 256, (6, 6), dtype=np.uint8)


def decoded(image, path, size=None, **options):
    image.save(path, **options)
    return decode_picture(path, size)[:2]


def test_colour_in_a_lossless_file_comes_back_exactly(tmp_path):
    for ending in ("png", "bmp", "tiff", "ppm"):
        pixels, grey = decoded(Image.fromarray(COLOUR), tmp_path / f"a.{ending}", size=6)
        np.testing.assert_array_equal(pixels, COLOUR)
        assert not grey


def test_grey_comes_back_exactly_and_is_called_grey(tmp_path):
    pixels, grey = decoded(Image.fromarray(GREY), tmp_path / "a.png")
    np.testing.assert_array_equal(pixels, np.repeat(GREY[..., None], 3, -1))
    assert grey


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path):
    pixels, grey = decoded(Image.fromarray(GREY.astype(np.uint16) * 257), tmp_path / "a.png")
    np.testing.assert_array_equal(pixels[..., 0], GREY)
    assert grey


def test_one_bit_pictures_are_black_and_white(tmp_path):
    pixels, grey = decoded(Image.fromarray(GREY > 127), tmp_path / "a.png")
    np.testing.assert_array_equal(pixels[..., 0], np.where(GREY > 127, 255, 0))
    assert grey


def test_transparent_pixels_are_black(tmp_path):
    alpha = np.zeros((6, 6, 1), np.uint8)
    alpha[3:] = 255
    pixels, grey = decoded(Image.fromarray(np.concatenate((COLOUR, alpha), -1)), tmp_path / "rgba.png")
    np.testing.assert_array_equal(pixels, np.where(alpha > 0, COLOUR, 0))
    assert not grey
    pixels, grey = decoded(Image.fromarray(np.concatenate((GREY[..., None], alpha), -1), "LA"), tmp_path / "la.png")
    np.testing.assert_array_equal(pixels[..., :1], np.where(alpha > 0, GREY[..., None], 0))
    assert grey


def test_a_palette_is_resolved_with_its_transparent_colour_black(tmp_path):
    image = Image.fromarray(np.array([[0, 1], [2, 0]], np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    pixels, _ = decoded(image, tmp_path / "plain.png")
    assert pixels.tolist() == [[[10, 20, 30], [40, 50, 60]], [[70, 80, 90], [10, 20, 30]]]
    pixels, _ = decoded(image, tmp_path / "holes.png", transparency=0)
    assert pixels.tolist() == [[[0, 0, 0], [40, 50, 60]], [[70, 80, 90], [0, 0, 0]]]


def test_cmyk_becomes_rgb(tmp_path):
    pixels, grey = decoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), tmp_path / "a.jpg")
    assert np.abs(pixels.astype(int) - [255, 0, 0]).max() <= 3
    assert not grey


def test_an_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter clockwise
    pixels, _ = decoded(Image.fromarray(COLOUR[:4]), tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(pixels, np.rot90(COLOUR[:4], -1))


def test_the_first_picture_of_an_animation_is_taken(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    pixels, _ = decoded(frames[0], tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert pixels[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_the_shorter_side_is_resized_and_the_centre_kept(tmp_path, ending):
    wide = np.zeros((64, 256, 3), np.uint8)
    wide[:, 96:160] = 200  # the centred square
    for pixels in (wide, wide.transpose(1, 0, 2)):
        image, _ = decoded(Image.fromarray(pixels), tmp_path / f"a.{ending}", size=16)
        assert image.shape == (16, 16, 3)
        assert np.abs(image[4:-4, 4:-4].astype(int) - 200).max() <= 2
        assert image.min() > 100


def test_a_sliver_of_extreme_proportions_needs_little_memory(tmp_path):
    pixels, _ = decoded(Image.new("RGB", (20_000, 1), "white"), tmp_path / "a.png", size=64)
    assert pixels.shape == (64, 64, 3)
    assert pixels.min() == 255


def test_a_picture_that_claims_more_pixels_than_allowed_is_refused_before_it_is_decoded(tmp_path):
    Image.new("1", (10_000, 10_000)).save(tmp_path / "bomb.png")
    with pytest.warns(Image.DecompressionBombWarning), pytest.raises(ValueError, match="10000 x 10000 pixels are more"):
        decode_picture(tmp_path / "bomb.png", 64)


def test_floating_point_pictures_are_refused(tmp_path):
    with pytest.raises(ValueError, match="floating-point"):
        decoded(Image.fromarray(GREY.astype(np.float32)), tmp_path / "a.tiff")


def test_postscript_which_would_start_another_program_is_not_opened(tmp_path):
    with pytest.raises(OSError, match="cannot identify"):
        decoded(Image.fromarray(COLOUR), tmp_path / "a.eps")
