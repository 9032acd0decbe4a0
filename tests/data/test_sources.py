import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.data import data_folder, open_data, write_packed
from ebgan.errors import DataError

pytestmark = pytest.mark.usefixtures("no_home")


def write_images(folder, count):
    """A file of so many small images under MNIST's name."""
    folder.mkdir(parents=True, exist_ok=True)
    content = struct.pack(">HBBIII", 0, 8, 3, count, 2, 2) + bytes(4 * count)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(content))


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10", "svhn"])
def test_a_set_that_is_not_at_hand_says_how_to_get_it(name):
    with pytest.raises(DataError, match=f"`ebgan data get {name}`, or give --data PATH"):
        open_data(name)


def test_a_named_set_is_looked_for_in_its_folder_then_at_home_then_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EBGAN_DATA", str(tmp_path / "home"))
    for count, folder in enumerate((tmp_path / "cache/ebgan/mnist", tmp_path / "home", tmp_path / "home/mnist"), 1):
        write_images(folder, count)
        assert len(open_data("mnist")) == count


def test_the_files_of_mnist_at_home_are_not_taken_for_fashion_mnist(tmp_path, monkeypatch):
    monkeypatch.setenv("EBGAN_DATA", str(tmp_path))
    write_images(tmp_path, 1)
    with pytest.raises(DataError, match="data get fashion_mnist"):
        open_data("fashion_mnist")
    write_images(tmp_path / "fashion_mnist", 2)
    assert len(open_data("fashion_mnist")) == 2


def test_sets_are_kept_where_they_are_looked_for(tmp_path, monkeypatch):
    write_images(data_folder("mnist"), 3)
    assert len(open_data("mnist")) == 3
    monkeypatch.setenv("EBGAN_DATA", str(tmp_path / "home"))
    assert data_folder("mnist") == tmp_path / "home" / "mnist"


def test_an_unknown_name_lists_the_known_ones_and_the_nearest():
    with pytest.raises(DataError, match=r"digits, mnist, fashion_mnist, cifar10, svhn\)\. Did you mean mnist"):
        open_data("mnits")
    with pytest.raises(DataError) as refusal:
        open_data("./pictures/of/cats")
    assert "Did you mean" not in str(refusal.value)


def test_a_path_of_the_name_of_a_set_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "mnist", 4)
    assert len(open_data(Path("mnist"))) == len(open_data("./mnist")) == 4


def test_a_packed_file_is_known_by_its_contents(tmp_path, small):
    write_packed(tmp_path / "anything", small)
    assert open_data(tmp_path / "anything").checksum == small.checksum


def test_a_shape_other_than_the_one_asked_for_is_refused(tmp_path, small):
    write_packed(tmp_path / "small", small)
    assert open_data("digits", size=8, channels=1).shape == (1, 8, 8)
    assert open_data(tmp_path / "small", channels=3).shape == (3, 4, 5)
    with pytest.raises(DataError, match=r"digits: images are 1 x 8 x 8 .* expected 1 x 32 x 32\. .* \(size 8, c"):
        open_data("digits", size=32)
    with pytest.raises(DataError, match="expected 3 x 8 x 8"):
        open_data("digits", channels=3)


def test_a_home_that_nobody_has_is_told():
    with pytest.raises(DataError, match="~nobodyhere/x: no user of that name"):
        open_data("~nobodyhere/x")


def test_a_zip_that_is_cut_short_is_told(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match=r"a\.zip: a zip that is cut short or damaged"):
        open_data(tmp_path / "a.zip", size=8)


def test_sets_without_splits_are_all_train(tmp_path, small):
    write_packed(tmp_path / "small", small)
    for source in ("digits", tmp_path / "small"):
        with pytest.raises(DataError, match="has no test split"):
            open_data(source, split="test")
    with pytest.raises(DataError, match="expected one of train, test"):
        open_data("digits", split="valid")


def test_what_is_neither_file_nor_folder_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="neither a file nor a folder"):
        open_data(tmp_path / "pipe")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(DataError, match="empty: could not be decoded"):
        open_data(tmp_path / "empty")


def test_the_real_mnist_is_found_at_home(real_mnist, monkeypatch):
    monkeypatch.setenv("EBGAN_DATA", str(real_mnist.parent))
    assert len(open_data("mnist", split="test")) == 10_000
    assert np.bincount(open_data("mnist", split="test").labels).min() == 892


def test_pictures_that_go_by_a_name_are_taken_under_any_name_that_they_usually_have(tmp_path, monkeypatch):
    monkeypatch.setenv("EBGAN_DATA", str(tmp_path / "home"))
    for count, folder in enumerate((tmp_path / "cache/ebgan/faces64", tmp_path / "home/img_align_celeba"), 1):
        folder.mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (20, 24), (9 * number, 0, 0)).save(folder / f"{number}.png")
        assert open_data("faces64", size=8).images.shape == (count, 3, 8, 8)


def test_pictures_that_go_by_a_name_and_are_not_here_say_what_they_are_and_where_to_put_them(tmp_path, monkeypatch):
    monkeypatch.setenv("EBGAN_DATA", str(tmp_path))
    with pytest.raises(DataError) as raised:
        open_data("bedrooms64", size=64)
    assert str(raised.value) == (
        f"bedrooms64 was not found: it is bedrooms, such as those of LSUN. Put a folder or an archive of them into "
        f"{tmp_path} as bedrooms64, bedrooms64.zip, bedroom_train_lmdb or bedrooms64_webp90.zip, or give it by "
        "--data PATH"
    )
    with pytest.raises(
        DataError, match=r"pictures: these are your own pictures: give their folder or archive by --data PATH"
    ):
        open_data("pictures", size=64)


def test_what_is_a_part_of_imagenet_comes_with_the_command_that_makes_it(tmp_path, monkeypatch):
    monkeypatch.setenv("EBGAN_DATA", str(tmp_path))
    with pytest.raises(DataError, match="118 breeds of dogs, n02085620 to n02113978") as raised:
        open_data("imagenet256_dogs", size=256)
    dest = tmp_path / "imagenet256_dogs"
    command = f"`ebgan pack ILSVRC2012_img_train.tar {dest} --size 256 --classes dogs` makes it from ImageNet"
    assert str(raised.value).endswith(f"or give it by --data PATH. {command}")
