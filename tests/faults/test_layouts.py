"""Pictures laid out one step away from what is expected: read right, or refused with what was seen."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from ebgan.data import Choice, open_data
from ebgan.data.listing import list_pictures
from ebgan.errors import DataError, NoSplitError, UsageError


def png(level: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("L", (4, 4), level).save(file, format="PNG")
    return file.getvalue()


PICTURE = png()


def tree(folder: Path, files: list[str]) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PICTURE)
    return folder


def zipped(path: Path, files: list[str], between: str = "/") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in files:
            archive.writestr(name.replace("/", between), PICTURE)
    return path


def tarred(path: Path, files: list[str]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name in files:
            info = tarfile.TarInfo(name)
            info.size = len(PICTURE)
            archive.addfile(info, io.BytesIO(PICTURE))
    return path


def places(folder: Path, files: list[str]) -> list[Path]:
    """The same files as a tree, a zip, a tar and a zip as some programs of Windows make it."""
    return [
        tree(folder / "tree", files),
        zipped(folder / "a.zip", files),
        tarred(folder / "a.tar", files),
        zipped(folder / "windows.zip", [f"outer/{name}" for name in files], "\\"),
    ]


def found(path: Path, split: str = "train", **choice) -> tuple[list[str], tuple[str, ...], str]:
    """Names and classes of the pictures of a split, and what is said of them."""
    listing = list_pictures(path, Choice(split=split, **choice))
    names = [entry.name for entry in listing.entries]
    classes = listing.classify(names)
    return names, classes.names, "; ".join((classes.how, *listing.notes))


def of(*folders: str) -> list[str]:
    return [f"{folder}/{kind}/{place}.png" for folder in folders for kind in ("cat", "dog") for place in (0, 1)]


OUTER = ("pics", "a", "b", "set")
BELOW = ["cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png"]


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("Train", "Test"),
        ("training", "testing"),
        ("TRAIN", "VALID"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("pics/train", "pics/validation"),
        ("a/b/Training Set", "a/b/Test Set"),
        ("train2017", "val2017"),
        ("set/trainval", "set/test"),
        ("train/images", "dev/images"),
        ("TrainImages", "test-images"),
    ],
)
def test_splits_are_known_by_their_usual_names_in_any_case_and_depth(tmp_path: Path, train: str, test: str) -> None:
    for place in places(tmp_path, of(train, test)):
        for split in ("train", "test"):
            names, classes, _ = found(place, split)
            assert (names, classes) == (BELOW, ("cat", "dog"))
        said = found(place)[2]
        first, second = (next(part for part in path.split("/") if part not in OUTER) for path in (train, test))
        assert f"trained on {first}, tested on {second}" in said


def test_validation_is_never_trained_on_and_tests_only_where_nothing_else_does(tmp_path: Path) -> None:
    place = tree(tmp_path, [*of("train", "val"), "test/cat/9.png"])
    assert found(place)[2].endswith("trained on train, tested on test; left out: val")
    assert found(place, "test")[0] == ["cat/9.png"]


def test_of_imagenet_validation_tests_as_its_test_pictures_have_no_classes(tmp_path: Path) -> None:
    place = tree(tmp_path, [*of("train", "val"), "test/1.png", "test/2.png"])
    assert found(place, "test")[:2] == (BELOW, ("cat", "dog"))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            of("Test"),
            "has only pictures for testing .Test., which are not trained on: to train on them, give the folder Test",
        ),
        (["trainA/1.png", "trainB/1.png", "testA/1.png"], "several folders for training: trainA, trainB"),
        (["Train/1.png", "train/1.png"], "several folders for training: Train, train"),
        (["Val/1.png", "Ann/1.png"], "a folder Val, named like a split, .* and also Ann: rename Val"),
        (["cat/train/1.png", "cat/test/1.png", "dog/train/1.png"], "folders of splits, test, train, lie below cat"),
        (["train/train/1.png", "train/val/1.png", "test/1.png"], "folders of splits, train, val, lie below train"),
        (["train/1.png", "cover.png"], "a folder train, named like a split, and also cover.png"),
    ],
)
def test_splits_that_cannot_be_decided_are_refused_with_what_was_seen(
    tmp_path: Path, files: list[str], said: str
) -> None:
    for place in places(tmp_path, files):
        with pytest.raises(DataError, match=said):
            found(place)


@pytest.mark.parametrize("files", [["bullet_train/1.png", "test_tube/1.png"], ["trains/1.png", "valley/1.png"]])
def test_classes_whose_names_only_hold_those_of_splits_are_classes(tmp_path: Path, files: list[str]) -> None:
    assert len(found(tree(tmp_path, files))[1]) == 2


def test_outer_folders_are_left_out_alike_in_trees_and_archives(tmp_path: Path) -> None:
    for place in places(tmp_path, [f"nest/pics/{name}" for name in BELOW]):
        assert found(place)[:2] == (BELOW, ("cat", "dog"))
    alone = tree(tmp_path / "alone", ["pics/deep/1.png"])
    assert found(alone) == (["1.png"], (), "no classes: all pictures lie in pics/deep/")


def test_a_tree_unpacked_from_an_archive_of_windows_has_its_classes(tmp_path: Path) -> None:
    assert found(tree(tmp_path, ["cat\\1.png", "cat\\2.png", "dog\\1.png"]))[1] == ("cat", "dog")


def test_names_of_windows_that_lead_out_of_a_zip_are_refused(tmp_path: Path) -> None:
    place = zipped(tmp_path / "a.zip", ["good/1.png", "../up.png"], "\\")
    assert open_data(place, size=4).names is not None
    assert len(open_data(place, size=4)) == 1


def numbered(numbers: list[int], each: int, form: str = "{0:05d}/{1}.png") -> list[str]:
    return [form.format(number, place, number + place) for number in numbers for place in range(each)]


@pytest.mark.parametrize(
    "files",
    [
        numbered([0, 1000, 2000], 3),
        numbered([0, 1000, 2000], 3)[:-2],  # the last is what was left
        numbered([0, 4, 8], 4),
        numbered([0, 3, 6], 3, "{0}/{2:04d}.png"),
        [f"shard_{number}/{place}.png" for number in range(3) for place in range(number + 1)],
        [f"train/{name}" for name in numbered([0, 1000], 2)],
    ],
)
def test_shards_are_no_classes_unless_they_are_said_to_be(tmp_path: Path, files: list[str]) -> None:
    place = tree(tmp_path, files)
    names, classes, said = found(place)
    assert (len(names), classes) == (len(files), ())
    assert "are shards" in said
    assert "--data.classes folders makes them classes" in said
    assert len(found(place, by="folders")[1]) >= 2


@pytest.mark.parametrize(
    "files",
    [
        numbered(list(range(10)), 2, "{0}/{1}.png"),
        numbered([0, 90, 180, 270], 2, "{0}/{1}.png"),
        numbered([10, 20, 30], 2, "{0}/{1}.png"),
        [f"{number:05d}/{place}.png" for number in range(4) for place in range(number + 2)],
    ],
)
def test_folders_of_numbers_that_are_no_shards_are_classes(tmp_path: Path, files: list[str]) -> None:
    classes = found(tree(tmp_path, files))[1]
    assert len(classes) == len({name.partition("/")[0] for name in files})


def test_the_user_s_word_decides_on_classes_and_the_set_says_how_they_were_found(tmp_path: Path) -> None:
    place = tree(tmp_path, ["Paris/1.png", "Rome/1.png"])
    assert open_data(place, size=4).notes == (
        "classes by their folders (Paris, Rome); --data.classes none if these are not classes",
    )
    none = open_data(place, size=4, classes="none")
    assert (none.labels, none.notes) == (None, ("no classes, as requested",))
    assert open_data("digits", classes="none").labels is None
    with pytest.raises(DataError, match=r"data\.classes=folders: no classes: all pictures lie in pics/"):
        open_data(tree(tmp_path / "flat", ["pics/1.png"]), size=4, classes="folders")
    with pytest.raises(UsageError, match="expected auto, folders or none"):
        Choice(by="maybe")


NAMES = [f"{number:06d}.jpg" for number in range(1, 7)]
PARTS = dict(zip(NAMES, "000122", strict=True))


def celeba(folder: Path, pictures: str = "Img/img_align_celeba/", lists: str = "Eval/") -> Path:
    """CelebA as its authors give it out."""
    tree(folder, [f"{pictures}{name}" for name in NAMES])
    for name, content in (
        (f"{lists}list_eval_partition.txt", "".join(f"{name} {part}\n" for name, part in PARTS.items())),
        (
            "Anno/list_attr_celeba.txt",
            "6\nMale\n" + "".join(f"{name} {1 - 2 * (n % 2)}\n" for n, name in enumerate(NAMES)),
        ),
        ("Anno/identity_CelebA.txt", "000001.jpg 7\n"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def zip_celeba(folder: Path) -> Path:
    zipped(folder / "Img" / "img_align_celeba.zip", [f"img_align_celeba/{name}" for name in NAMES])
    for name in NAMES:
        (folder / "Img" / "img_align_celeba" / name).unlink()
    return folder


def test_celeba_is_read_as_its_authors_lay_it_out(tmp_path: Path) -> None:
    for place in (
        celeba(tmp_path / "1"),
        zip_celeba(celeba(tmp_path / "2")),
        celeba(tmp_path / "3" / "CelebA").parent,
        celeba(tmp_path / "4", "img_align_celeba/", ""),
    ):
        assert found(place)[0] == NAMES[:3]
        assert found(place, "test")[0] == NAMES[4:]
        assert "split by the list of partitions" in found(place)[2]
        assert found(place, labels="Male")[1] == ("-1", "1")


def test_a_list_that_does_not_fit_celeba_s_pictures_is_refused_with_names_of_either_side(tmp_path: Path) -> None:
    place = celeba(tmp_path / "1")
    tree(place, [f"Img/img_celeba/{name}" for name in NAMES])
    with pytest.raises(DataError, match=r"fits several pictures \(img_align_celeba/000001.jpg, img_celeba/"):
        found(place)
    other = celeba(tmp_path / "2")
    (other / "Eval" / "list_eval_partition.txt").write_text("a.jpg 0\nb.jpg 1\nc.jpg 2\n")
    with pytest.raises(DataError, match=r"has a\.jpg, b\.jpg, c\.jpg; the pictures are 000001\.jpg, 000002\.jpg, "):
        found(other)
    (other / "Eval" / "list_eval_partition.txt").write_text("000001.jpg 0\n000001.jpg 2\n")
    with pytest.raises(DataError, match=r"line 2: 000001\.jpg is 2 here and 0 above"):
        found(other)


def test_what_is_no_picture_is_passed_over_and_counted(tmp_path: Path) -> None:
    place = tree(tmp_path, ["cat/1.png", "dog/odd"])
    for name in ("cat/Thumbs.db", "desktop.ini", "notes.txt", "README", ".DS_Store", "cat/.DS_Store"):
        (place / name).write_bytes(b"BM is no picture")
    (place / "empty.png").touch()
    packed = open_data(place, size=4)
    assert packed.names == ("cat/1.png", "dog/odd")
    assert "ignored 4 files that are not pictures (.db, .ini, .txt, README)" in packed.notes


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.zip": b"<!DOCTYPE html><html>"}, "a.zip: a web page"),
        ({"a.zip": b'{"error": 404}'}, "a.zip: named like an archive, but not one"),
        ({"a.parquet": b"PAR1"}, "a.parquet: a parquet file: save its pictures as files"),
        ({"a.7z": b"7z\xbc\xaf\x27\x1c"}, "a.7z: a 7z archive: unpack it"),
        ({"a.h5": b"\x89HDF\r\n"}, "a.h5: an HDF5 file: save its array"),
        ({"a.pkl": b"\x80\x04\x95"}, "a.pkl: a pickle, which could run any code"),
        ({"a.csv": b"image,label\n"}, "a.csv: a table: give the pictures"),
        (
            {"s/0.tar": b"", "s/1.tar": b""},
            r"s: no picture was found, only tar shards, like webdataset's \(0.tar, 1.tar\)",
        ),
        ({"s/bed/data.mdb": b"", "s/church/data.mdb": b""}, "s: no picture was found, only lmdb databases in folders"),
        ({"s/train.parquet": b"PAR1", "s/README.md": b""}, "s: no picture was found, only parquet files"),
        ({"s/a.zip": b"", "s/b.zip": b""}, r"s: no picture was found, only zips \(a.zip, b.zip\)"),
        ({"s/train.npy": b""}, "s: no picture was found, only .npy files"),
        ({"s/a.txt": b"", "s/b.md": b""}, r"s: no picture was found among 2 files \(.md, .txt\)"),
    ],
)
def test_what_is_no_set_of_pictures_is_named_with_the_mend(tmp_path: Path, files: dict[str, bytes], said: str) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        open_data(tmp_path / next(iter(files)).partition("/")[0], size=4)


def test_a_program_that_has_pillow_take_damaged_pictures_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(UsageError, match="LOAD_TRUNCATED_IMAGES is set"):
        open_data(tree(tmp_path, ["1.png"]), size=4)


def test_a_test_split_of_one_class_keeps_it(tmp_path: Path) -> None:
    place = tree(tmp_path, [*of("train"), "test/test/cat/1.png"])
    packed = open_data(place, size=4, split="test")
    assert (packed.classes, packed.names) == (("cat",), ("cat/1.png",))
    np.testing.assert_array_equal(packed.labels, [0])
    with pytest.raises(NoSplitError, match="has no folder test"):
        open_data(tree(tmp_path / "lone", of("Train")), size=4, split="test")
