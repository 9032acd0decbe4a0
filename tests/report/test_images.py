import numpy as np
import pytest
import torch
from PIL import Image

from ebgan.errors import StorageError
from ebgan.report import beside, grid, save_png


def test_every_digit_stands_enlarged_in_its_cell(digits):
    picture = np.asarray(grid(digits[:7], columns=3, border=2))
    assert picture.shape == (3 * 48 + 2 * 2, 3 * 48 + 2 * 2)
    expected = np.rint((digits[4, 0] + 1) * 127.5).astype(np.uint8).repeat(6, 0).repeat(6, 1)
    assert np.array_equal(picture[50:98, 50:98], expected)


def test_pictures_stand_beside_each_other_with_a_white_gap(digits):
    one, other = grid(digits[:4]), grid(digits[4:8])
    both = np.asarray(beside(one, other, gap=5))
    assert both.shape == (one.height, one.width + 5 + other.width)
    assert np.array_equal(both[:, : one.width], np.asarray(one))
    assert np.array_equal(both[:, one.width + 5 :], np.asarray(other))
    assert (both[:, one.width : one.width + 5] == 255).all()


def test_the_empty_cells_of_the_last_row_are_border(digits):
    picture = np.asarray(grid(digits[:7], columns=3))
    assert len(np.unique(picture[100:, 50:])) == 1


@pytest.mark.parametrize(("side", "cell"), [(8, 48), (28, 56), (32, 64), (64, 64), (128, 128)])
def test_small_images_are_enlarged_and_large_ones_stay(side, cell):
    assert grid(np.zeros((1, 1, side, side), np.uint8)).size == (cell, cell)


def test_the_grid_is_square_unless_columns_are_given(digits):
    assert grid(digits[:9], border=0, scale=1).size == (24, 24)
    assert grid(digits[:10], border=0, scale=1).size == (32, 24)
    assert grid(digits[:3], columns=8, border=0, scale=1).size == (24, 8)


def test_tensors_of_any_precision_and_bytes_give_the_same_picture(digits):
    exact = torch.from_numpy(np.where(digits[:4] > 0, 1, -1))
    pictures = [
        grid(exact.float()),
        grid(exact.bfloat16().requires_grad_()),
        grid(exact.double().numpy()),
        grid(((exact + 1) * 127.5).to(torch.uint8)),
    ]
    assert len({picture.tobytes() for picture in pictures[:3]}) == 1
    assert set(pictures[3].get_flattened_data()) <= {0, 255, 112}


def test_values_outside_the_range_are_clipped():
    picture = grid(torch.tensor([-9.0, float("-inf"), 9.0, float("inf")]).reshape(4, 1, 1, 1), scale=1, border=0)
    assert np.asarray(picture).tolist() == [[0, 0], [255, 255]]


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_not_a_number_comes_out_magenta(channels):
    images = torch.zeros(2, channels, 2, 2)
    images[1, 0, 0, 1] = float("nan")
    picture = np.asarray(grid(images, columns=2, border=0, scale=1))
    assert picture[0, 3].tolist() == [255, 0, 255]
    assert (picture == 128).all(-1).sum() == 7


@pytest.mark.parametrize("shape", [(4, 8, 8), (4, 2, 8, 8), (0, 1, 8, 8)])
def test_other_shapes_are_refused_with_what_was_expected(shape):
    with pytest.raises(ValueError, match=r"\[N, 1 or 3, H, W\]"):
        grid(np.zeros(shape, np.float32))


def test_integers_that_are_not_bytes_are_refused():
    with pytest.raises(ValueError, match="int64"):
        grid(torch.zeros(1, 1, 8, 8, dtype=torch.int64))


def test_a_saved_grid_reads_back_the_same(tmp_path, digits):
    picture = grid(digits[:16])
    save_png(picture, tmp_path / "new folder" / "grid.png")
    with Image.open(tmp_path / "new folder" / "grid.png") as read:
        assert read.format == "PNG"
        assert read.tobytes() == picture.tobytes()


def test_a_refused_save_says_so_and_leaves_nothing(tmp_path, digits):
    (tmp_path / "grid.png").mkdir()
    with pytest.raises(StorageError, match=r"grid\.png"):
        save_png(grid(digits[:1]), tmp_path / "grid.png")
    assert [path.name for path in tmp_path.iterdir()] == ["grid.png"]
