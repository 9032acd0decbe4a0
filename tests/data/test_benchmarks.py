import numpy as np
import pytest
from scipy.io import savemat

from ebgan.data import open_data
from ebgan.errors import DataError

RANDOM = np.random.default_rng(2)


def write_cifar10(folder):
    """Six small files of CIFAR-10's binary version, and the images and labels within."""
    folder.mkdir(parents=True)
    images = RANDOM.integers(0, 256, (6, 2, 3, 32, 32), dtype=np.uint8)
    labels = RANDOM.integers(0, 10, (6, 2), dtype=np.uint8)
    names = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]
    for name, pixels, numbers in zip(names, images, labels, strict=True):
        (folder / name).write_bytes(np.hstack((numbers[:, None], pixels.reshape(2, -1))).tobytes())
    return images, labels


@pytest.mark.parametrize("below", ["", "cifar-10-batches-bin"])
def test_cifar10_is_read_from_its_binary_version(tmp_path, below):
    images, labels = write_cifar10(tmp_path / "set" / below)
    train, test = open_data(tmp_path / "set"), open_data(tmp_path / "set", split="test")
    np.testing.assert_array_equal(train.images, images[:5].reshape(10, 3, 32, 32))
    np.testing.assert_array_equal(test.images, images[5])
    assert train.labels.tolist() == labels[:5].flatten().tolist()
    assert (train.classes[0], train.classes[9], train.name) == ("airplane", "truck", "cifar10")


def test_a_missing_or_torn_file_of_cifar10_is_named(tmp_path):
    write_cifar10(tmp_path / "set")
    torn = tmp_path / "set" / "data_batch_3.bin"
    torn.write_bytes(torn.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"data_batch_3\.bin: 6,145 bytes"):
        open_data(tmp_path / "set")
    torn.unlink()
    with pytest.raises(DataError, match=r"data_batch_3\.bin.* missing"):
        open_data(tmp_path / "set")


def test_svhn_is_read_with_its_tens_as_zeros(tmp_path):
    pixels = RANDOM.integers(0, 256, (32, 32, 3, 4), dtype=np.uint8)
    savemat(tmp_path / "train_32x32.mat", {"X": pixels, "y": np.array([[10], [1], [9], [10]], np.uint8)})
    svhn = open_data(tmp_path)
    assert (len(svhn), svhn.shape, svhn.labels.tolist()) == (4, (3, 32, 32), [0, 1, 9, 0])
    np.testing.assert_array_equal(svhn.images[2, 1], pixels[:, :, 1, 2])
    with pytest.raises(DataError, match=r"test_32x32\.mat"):
        open_data(tmp_path, split="test")


def test_a_torn_file_of_svhn_is_refused(tmp_path):
    path = tmp_path / "train_32x32.mat"
    savemat(path, {"X": np.zeros((32, 32, 3, 4), np.uint8), "y": np.ones((4, 1), np.uint8)})
    content = path.read_bytes()
    for length in (0, 3, 64, 130, 400, len(content) - 100):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match=r"train_32x32\.mat"):
            open_data(tmp_path)
