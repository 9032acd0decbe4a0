import gzip
import struct

import numpy as np
import pytest

from ebgan.data import open_data
from ebgan.errors import DataError

PIXELS = np.random.default_rng(1).integers(0, 256, (6, 5, 4), dtype=np.uint8)
LABELS = np.array([5, 0, 4, 1, 9, 2], np.uint8)


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_mnist(folder, prefix="train", count=6, ending=".gz", separator="-"):
    folder.mkdir(parents=True, exist_ok=True)
    compress = gzip.compress if ending else bytes
    for content, array in (("images", PIXELS[:count]), ("labels", LABELS[:count])):
        name = f"{prefix}-{content}{separator}idx{array.ndim}-ubyte{ending}"
        (folder / name).write_bytes(compress(idx(array)))
    return folder


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("separator", ["-", "."])
def test_a_folder_of_files_named_as_mnist_s_is_called_by_its_own_name(tmp_path, ending, separator):
    write_mnist(tmp_path, "train", 6, ending, separator)
    write_mnist(tmp_path, "t10k", 2, ending, separator)
    train, test = open_data(tmp_path), open_data(tmp_path, split="test")
    np.testing.assert_array_equal(train.images, PIXELS[:, None])
    assert (train.classes, train.labels.tolist()) == (tuple("012459"), [4, 0, 3, 1, 5, 2])
    assert (test.classes, len(test), test.name) == (("0", "5"), 2, tmp_path.name)


def test_a_missing_split_is_named(tmp_path):
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz is missing"):
        open_data(write_mnist(tmp_path), split="test")


def test_a_single_idx_file_finds_its_labels_beside(tmp_path):
    write_mnist(tmp_path)
    images = tmp_path / "train-images-idx3-ubyte.gz"
    assert [open_data(images).classes[label] for label in open_data(images).labels] == list(map(str, LABELS))
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    assert open_data(images).labels is None


def test_an_idx_file_of_another_name_is_unlabelled(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "mine").write_bytes(idx(PIXELS))
    packed = open_data(tmp_path / "mine")
    assert (packed.shape, packed.labels, packed.name) == ((1, 5, 4), None, "mine")


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_every_truncation_is_refused(tmp_path, ending):
    content = (write_mnist(tmp_path / "whole", ending=ending) / f"train-images-idx3-ubyte{ending}").read_bytes()
    for length in range(3, len(content)):
        (tmp_path / "cut").write_bytes(content[:length])
        with pytest.raises(DataError, match="cut"):
            open_data(tmp_path / "cut")


def test_trailing_bytes_labels_as_images_and_other_types_are_refused(tmp_path):
    floats = bytes([0, 0, 13, 3]) + idx(PIXELS)[4:]
    for number, content in enumerate((idx(PIXELS) + b"\0", idx(LABELS), gzip.compress(floats))):
        path = tmp_path / f"bad{number}"
        path.write_bytes(content)
        with pytest.raises(DataError, match=f"bad{number}"):
            open_data(path)


def test_the_real_mnist_is_whole(real_mnist):
    mnist = open_data(real_mnist)
    assert (len(mnist), mnist.shape) == (60_000, (1, 28, 28))
    assert mnist.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(mnist.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert mnist.checksum == "9218d697efc600f1dd899edc4eedb8445db4df6b9aefe94e332dd0118663906a"
    assert mnist.images.mean() == pytest.approx(33.318421, abs=1e-6)
    assert len(open_data(real_mnist, split="test")) == 10_000
