import numpy as np
import pytest

from ebgan.data import from_array, open_data
from ebgan.errors import DataError

PIXELS = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)


def test_channels_last_first_or_none_become_channels_first():
    first = PIXELS.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(from_array(PIXELS).images, first)
    np.testing.assert_array_equal(from_array(first).images, first)
    np.testing.assert_array_equal(from_array(PIXELS[..., 0]).images, PIXELS[:, None, :, :, 0])


def test_labels_in_a_column_are_flattened_and_named_by_their_numbers():
    packed = from_array(PIXELS, np.array([[2], [0]], np.uint8))
    assert (packed.labels.tolist(), packed.classes) == ([1, 0], ("0", "2"))


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (PIXELS / 255, None, "expected uint8"),
        (PIXELS.reshape(2, 60), None, "expected"),
        (np.zeros((2, 4, 5, 4), np.uint8), None, "C 1 or 3"),
        (PIXELS, np.array([0.5, 1]), "expected integers"),
        (PIXELS, np.array([0, 1, 1]), "expected int64"),
        (PIXELS, np.array([-2, 1]), "labels from -2"),
    ],
)
def test_other_arrays_are_refused_with_what_was_expected(images, labels, message):
    with pytest.raises(DataError, match=message):
        from_array(images, labels)


def test_an_npz_file_is_read_with_its_labels_and_classes(tmp_path):
    np.savez(tmp_path / "a.npz", images=PIXELS, labels=[1, 0], classes=["cat", "dog"])
    packed = open_data(tmp_path / "a.npz")
    assert (packed.shape, packed.labels.tolist(), packed.classes) == ((3, 4, 5), [1, 0], ("cat", "dog"))


def test_of_labels_with_gaps_only_those_that_occur_are_classes():
    images = np.zeros((4, 8, 8), np.uint8)
    assert from_array(images, np.array([10, 1, 2, 20240101])).classes == ("1", "2", "10", "20240101")
    packed = from_array(images, np.array([10, -1, 1, 10]))
    assert (packed.classes, packed.labels.tolist()) == (("1", "10"), [1, -1, 0, 1])
    assert from_array(images, np.full(4, -1)).labels is None


def test_a_number_in_place_of_the_names_of_classes_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", images=PIXELS, labels=[1, 0], classes=2)
    with pytest.raises(DataError, match="labels from 0 to 1; 1 classes are named"):
        open_data(tmp_path / "a.npz")


def test_an_npz_file_with_short_names_and_no_labels_is_read(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=PIXELS)
    assert open_data(tmp_path / "a.npz").labels is None


@pytest.mark.parametrize("form", ["x_{}", "{}_images"])
def test_an_npz_file_with_splits_serves_the_one_asked_for(tmp_path, form):
    np.savez(tmp_path / "a.npz", **{form.format("train"): PIXELS, form.format("test"): PIXELS[:1], "y_test": [4]})
    assert len(open_data(tmp_path / "a.npz")) == 2
    test = open_data(tmp_path / "a.npz", split="test")
    assert (len(test), test.labels.tolist(), test.classes) == (1, [0], ("4",))


def test_an_npz_file_without_splits_has_no_test_images(tmp_path):
    np.savez(tmp_path / "a.npz", images=PIXELS)
    with pytest.raises(DataError, match="test_images or x_test"):
        open_data(tmp_path / "a.npz", split="test")


def test_an_npz_file_that_would_run_code_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.array([{"an": "object"}]))
    with pytest.raises(DataError, match=r"a\.npz"):
        open_data(tmp_path / "a.npz")


def test_a_truncated_npz_file_is_refused(tmp_path):
    np.savez(tmp_path / "whole.npz", images=PIXELS)
    content = (tmp_path / "whole.npz").read_bytes()
    for length in range(2, len(content), 7):
        (tmp_path / "cut.npz").write_bytes(content[:length])
        with pytest.raises(DataError, match=r"cut\.npz"):
            open_data(tmp_path / "cut.npz")


def test_the_digits_of_scikit_learn_span_black_to_white():
    digits = open_data("digits")
    assert (len(digits), digits.shape) == (1797, (1, 8, 8))
    assert (digits.images.min(), digits.images.max()) == (0, 255)
    assert digits.classes == tuple("0123456789")
    assert digits.labels[:5].tolist() == [0, 1, 2, 3, 4]
    assert len(np.unique(digits.images)) == 17
