import os

import numpy as np
import pytest
from PIL import Image

from ebgan.data import open_data
from ebgan.errors import DataError

RANDOM = np.random.default_rng(4)


def picture(path, shape=(8, 8, 3)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = RANDOM.integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(pixels).save(path, format="PNG")
    return pixels


def test_a_flat_folder_is_read_in_the_order_of_its_names(tmp_path):
    second, first = picture(tmp_path / "b.png"), picture(tmp_path / "a.png")
    packed = open_data(tmp_path, size=8)
    np.testing.assert_array_equal(packed.images, np.stack((first, second)).transpose(0, 3, 1, 2))
    assert (packed.names, packed.labels, packed.name) == (("a.png", "b.png"), None, tmp_path.name)


def test_class_folders_name_the_labels(tmp_path):
    for name in ("dog/b.png", "cat/a.png", "dog/deep/er.png"):
        picture(tmp_path / name)
    (tmp_path / "empty").mkdir()
    packed = open_data(tmp_path, size=8)
    assert (packed.classes, packed.labels.tolist()) == (("cat", "dog"), [0, 1, 1])
    assert packed.names == ("cat/a.png", "dog/b.png", "dog/deep/er.png")


@pytest.mark.parametrize("names", [("only/a.png", "only/b.png"), ("cat/a.png", "dog/b.png", "stray.png")])
def test_one_folder_or_a_stray_picture_makes_no_classes(tmp_path, names):
    for name in names:
        picture(tmp_path / name)
    assert open_data(tmp_path, size=8).labels is None


def test_a_set_is_grey_if_every_picture_is_and_channels_decide_otherwise(tmp_path):
    grey = picture(tmp_path / "a.png", (8, 8))
    packed = open_data(tmp_path, size=8)
    np.testing.assert_array_equal(packed.images[0, 0], grey)
    assert packed.shape == (1, 8, 8)
    np.testing.assert_array_equal(open_data(tmp_path, size=8, channels=3).images[0], [grey] * 3)
    colour = picture(tmp_path / "b.png")
    assert open_data(tmp_path, size=8).shape == (3, 8, 8)
    luma = np.asarray(Image.fromarray(colour).convert("L")).astype(int)
    assert np.abs(open_data(tmp_path, size=8, channels=1).images[1, 0] - luma).max() <= 1


def test_folders_train_and_test_are_splits(tmp_path):
    picture(tmp_path / "train" / "a.png")
    with pytest.raises(DataError, match="no folder test"):
        open_data(tmp_path, size=8, split="test")
    picture(tmp_path / "test" / "b.png")
    assert open_data(tmp_path, size=8).names == ("a.png",)
    assert open_data(tmp_path, size=8, split="test").names == ("b.png",)


def test_hidden_files_are_left_out_and_what_is_no_file_is_named(tmp_path, caplog):
    picture(tmp_path / "a.png")
    for hidden in (".a.png", "__MACOSX/a.png", ".git/a.png"):
        picture(tmp_path / hidden)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "itself.png").symlink_to("itself.png")
    (tmp_path / "nowhere.png").symlink_to("nothing")
    assert open_data(tmp_path, size=8).names == ("a.png",)
    assert caplog.messages == [
        f"{tmp_path}: 1 pictures read, 3 files refused:\n"
        "  itself.png: a link that leads to no file\n"
        "  nowhere.png: a link that leads to no file\n"
        "  pipe.png: not a regular file"
    ]


def test_links_that_loop_add_no_pictures(tmp_path):
    root = tmp_path / "set"
    picture(root / "x" / "a.png")
    picture(root / "y" / "b.png")
    (root / "x" / "up").symlink_to(root)
    (root / "x" / "sister").symlink_to(root / "y")
    (root / "above").symlink_to(tmp_path)
    packed = open_data(root, size=8)
    assert (packed.names, packed.labels.tolist()) == (("x/a.png", "y/b.png"), [0, 1])


def test_class_folders_that_are_links_to_elsewhere_are_read_once(tmp_path):
    for name in ("cat", "dog"):
        picture(tmp_path / "all" / name / "a.png")
        (tmp_path / "all" / name / "loop").symlink_to(tmp_path / "all")
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "dog").symlink_to(tmp_path / "all" / "dog")
    assert open_data(tmp_path / "some", size=8).names.count("a.png") == 1


def test_each_file_that_cannot_be_decoded_is_named_with_its_reason(tmp_path, caplog):
    picture(tmp_path / "good.txt")  # by its contents a picture, whatever its name
    (tmp_path / "empty.png").touch()
    (tmp_path / "notes.png").write_text("not a picture")
    (tmp_path / "torn.png").write_bytes((tmp_path / "good.txt").read_bytes()[:-60])
    assert open_data(tmp_path, size=8).names == ("good.txt",)
    (record,) = caplog.records
    message = record.getMessage()
    assert "1 pictures read, 3 files refused" in message
    for name, reason in (("empty.png", "cannot identify"), ("notes.png", "cannot identify"), ("torn.png", "truncated")):
        assert any(name in line and reason in line for line in message.splitlines())
    assert str(tmp_path) in message.splitlines()[0]


@pytest.mark.filterwarnings("ignore:::PIL")
def test_damage_at_any_place_is_a_refusal_and_never_a_crash(tmp_path):
    sources = []
    for ending in ("png", "jpg", "webp", "gif", "bmp", "tiff"):
        Image.fromarray(RANDOM.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(tmp_path / f"a.{ending}")
        sources.append((tmp_path / f"a.{ending}").read_bytes())
    for number in range(300):
        content = bytearray(sources[number % len(sources)])
        for place in RANDOM.integers(0, len(content), 4):
            content[place] = RANDOM.integers(256)
        (tmp_path / f"damaged{number}").write_bytes(content[: RANDOM.integers(len(content) // 2, len(content))])
    assert len(open_data(tmp_path, size=8)) >= len(sources)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_an_unreadable_file_is_refused(tmp_path, caplog):
    picture(tmp_path / "a.png")
    picture(tmp_path / "secret.png")
    (tmp_path / "secret.png").chmod(0)
    assert open_data(tmp_path, size=8).names == ("a.png",)
    assert "secret.png: Permission denied" in caplog.text


def test_a_name_that_is_no_text_is_escaped(tmp_path):
    picture(tmp_path / "plain.png")
    (tmp_path / "plain.png").rename(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff.png"))
    assert open_data(tmp_path, size=8).names == ("odd\\udcff.png",)


def test_a_folder_without_pictures_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no picture was found"):
        open_data(tmp_path, size=8)
    (tmp_path / "notes.txt").write_text("nothing to see")
    with pytest.raises(DataError, match=r"no picture was found among 1 file \(\.txt\)"):
        open_data(tmp_path, size=8)


def test_a_folder_needs_a_size(tmp_path):
    picture(tmp_path / "a.png")
    with pytest.raises(DataError, match="needs --data"):
        open_data(tmp_path)


def test_a_single_picture_keeps_its_size_unless_told_otherwise(tmp_path):
    pixels = picture(tmp_path / "a.png", (6, 10, 3))
    packed = open_data(tmp_path / "a.png")
    np.testing.assert_array_equal(packed.images[0], pixels.transpose(2, 0, 1))
    assert packed.names == ("a.png",)
    assert open_data(tmp_path / "a.png", size=4, channels=1).shape == (1, 4, 4)
    (tmp_path / "bad.png").write_text("not a picture")
    with pytest.raises(DataError, match=r"bad\.png: could not be decoded: cannot identify"):
        open_data(tmp_path / "bad.png")
