import pickle
from dataclasses import replace

import numpy as np
import pytest

from ebgan.data import Packed, open_packed, write_packed
from ebgan.errors import DataError, StorageError


def test_a_packed_file_gives_back_what_was_written(tmp_path, small):
    write_packed(tmp_path / "small.packed", small)
    opened = open_packed(tmp_path / "small.packed")
    np.testing.assert_array_equal(opened.images, small.images)
    np.testing.assert_array_equal(opened.labels, small.labels)
    assert opened.labels.dtype == np.int64
    assert (opened.classes, opened.name, opened.names) == (small.classes, small.name, small.names)
    assert (opened.shape, len(opened)) == ((3, 4, 5), 12)
    assert opened.checksum == small.checksum


def test_an_unlabelled_set_without_names_comes_back_as_such(tmp_path, small):
    write_packed(tmp_path / "plain", Packed(small.images))
    opened = open_packed(tmp_path / "plain")
    assert (opened.labels, opened.classes, opened.names) == (None, (), None)


def test_the_pixels_are_mapped_read_only_from_an_aligned_place(tmp_path, small):
    for packed in (small, Packed(small.images)):
        write_packed(tmp_path / "small", packed)
        images = open_packed(tmp_path / "small").images
        assert isinstance(images, np.memmap)
        assert images.offset % 64 == 0
        with pytest.raises(ValueError, match="read-only"):
            images[0, 0, 0, 0] = 1


def test_the_checksum_depends_on_shape_pixels_labels_and_classes_but_not_on_names(small):
    other_pixels = small.images.copy()
    other_pixels[3, 1, 2, 2] ^= 1
    changed = [
        replace(small, images=other_pixels),
        replace(small, images=small.images.reshape(12, 3, 5, 4)),
        replace(small, labels=small.labels[::-1]),
        replace(small, classes=("a", "b", "d")),
        Packed(small.images),
    ]
    assert len({small.checksum, *(packed.checksum for packed in changed)}) == 6
    assert Packed(small.images, small.labels, small.classes).checksum == small.checksum


def test_the_checksum_does_not_depend_on_the_layout_in_memory(small):
    assert replace(small, images=np.asfortranarray(small.images)).checksum == small.checksum


TINY = Packed(np.arange(8, dtype=np.uint8).reshape(2, 1, 2, 2), np.array([1, 0]), ("a", "b"), "tiny", ("x", "y"))


@pytest.mark.parametrize("flip", [0x01, 0xFF])
def test_every_flipped_byte_is_detected(tmp_path, flip):
    path = tmp_path / "small.packed"
    write_packed(path, TINY)
    good = path.read_bytes()
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :])
        with pytest.raises(DataError, match=r"small\.packed"):
            open_packed(path)


def test_every_truncation_and_any_addition_is_detected(tmp_path):
    path = tmp_path / "small.packed"
    write_packed(path, TINY)
    good = path.read_bytes()
    for bad in [good[:length] for length in range(len(good))] + [good + b"\0"]:
        path.write_bytes(bad)
        with pytest.raises(DataError, match=r"small\.packed"):
            open_packed(path)


def test_a_file_that_is_not_there_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        open_packed(tmp_path / "nowhere")


def test_an_interrupted_write_leaves_the_old_file_and_no_other(tmp_path, small, monkeypatch):
    path = tmp_path / "small.packed"
    write_packed(path, small)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        write_packed(path, Packed(small.images))
    assert open_packed(path).checksum == small.checksum
    assert list(tmp_path.iterdir()) == [path]


def test_padding_adds_black_on_all_sides(small):
    padded = small.padded(2)
    assert padded.shape == (3, 8, 9)
    np.testing.assert_array_equal(padded.images[:, :, 2:-2, 2:-2], small.images)
    assert padded.images.sum() == small.images.sum()
    np.testing.assert_array_equal(padded.labels, small.labels)


def test_a_mapped_set_travels_to_another_process_by_its_path(tmp_path):
    path = tmp_path / "large"
    write_packed(path, Packed(np.zeros((100, 3, 64, 64), np.uint8)))
    sent = pickle.dumps(open_packed(path))
    assert len(sent) < 1000
    assert isinstance(pickle.loads(sent).images, np.memmap)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"images": np.zeros((2, 4, 4), np.uint8)}, "expected uint8"),
        ({"images": np.zeros((0, 1, 4, 4), np.uint8)}, "at least 1"),
        ({"labels": np.array([0, 1])}, "come together"),
        ({"classes": ("a",)}, "come together"),
        ({"labels": np.array([0]), "classes": ("a",)}, "expected int64"),
        ({"labels": np.array([0, 2]), "classes": ("a", "b")}, "labels from 0 to 2"),
        ({"labels": np.array([-2, 0]), "classes": ("a", "b")}, "labels from -2"),
        ({"names": ("a",)}, "1 file names for 2 images"),
    ],
)
def test_what_is_no_set_of_images_is_refused(fields, message):
    with pytest.raises(DataError, match=message):
        Packed(**{"images": np.zeros((2, 1, 4, 4), np.uint8), **fields})
