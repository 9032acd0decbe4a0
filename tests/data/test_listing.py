import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.data import Choice, Framing, open_data, pack
from ebgan.data.listing import list_pictures
from ebgan.data.naming import without_class
from ebgan.errors import DataError, UsageError


def pictures(folder: Path, *names: str) -> Path:
    """A folder with pictures of these names, each of its own grey."""
    for place, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), place).save(folder / name, format="PNG")
    return folder


def labelled(path: Path, **choice) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The class of each file, and the files that were left out."""
    listing = list_pictures(path, Choice(**choice))
    names = [entry.name for entry in listing.entries]
    labels, classes, _ = listing.classify(names)
    assert labels is not None
    return {name: classes[label] for name, label in zip(names, labels, strict=True)}, listing.left_out


def test_a_column_of_a_table_beside_the_pictures_names_the_classes(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "set", "1.png", "2.png", "3.png", "deep/4.png")
    (folder / "index.csv").write_text('file,breed,"name, long"\n1.png,pug,"a, b"\n2.png,basset,c\n4.png,pug,d\n')
    assert labelled(folder, labels="breed") == (
        {"1.png": "pug", "2.png": "basset", "deep/4.png": "pug"},
        [("3.png", "not in the table")],
    )
    assert labelled(folder, labels="name, long")[0]["1.png"] == "a, b"
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path, path.relative_to(tmp_path))
    assert labelled(tmp_path / "set.zip", labels="breed") == labelled(folder, labels="breed")
    outcome = pack(tmp_path / "set.zip", tmp_path / "p", Framing(size=8), choice=Choice(labels="breed"), workers=1)
    assert (outcome.classes, outcome.refused) == ({"basset": 1, "pug": 2}, [("3.png", "not in the table")])


def test_a_column_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    folder = pictures(tmp_path, "1.png")
    with pytest.raises(UsageError, match="no table has a column 'breed': there is no table"):
        list_pictures(folder, Choice(labels="breed"))
    (folder / "index.csv").write_text("file,age,race\n")
    with pytest.raises(UsageError, match="no table has a column 'breed': there are age, race"):
        list_pictures(folder, Choice(labels="breed"))
    (folder / "index.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"the table index\.csv could not be read"):
        list_pictures(folder, Choice(labels="breed"))


def celeba(folder: Path) -> Path:
    """The lists that lie beside CelebA's pictures."""
    names = [f"{number:06d}.jpg" for number in range(1, 7)]
    folder.mkdir()
    parts = zip(names, (0, 0, 0, 1, 2, 2), strict=True)
    (folder / "list_eval_partition.txt").write_text("".join(f"{name} {part}\n" for name, part in parts))
    rows = "".join(f"{name}  {'1' if place % 2 else '-1'} -1\n" for place, name in enumerate(names))
    (folder / "list_attr_celeba.txt").write_text(f"6\nMale Smiling \n{rows}")
    return pictures(folder, *(f"img_align_celeba/{name}" for name in names))


def test_a_table_with_a_quote_that_does_not_end_is_named(tmp_path: Path) -> None:
    folder = pictures(tmp_path, "a.png", "b.png")
    (folder / "index.csv").write_text('file,breed\na.png,"collie\n' + "b.png,pug\n" * 20_000, "utf-8")
    with pytest.raises(DataError, match=r"the table index\.csv could not be read \(field larger than"):
        list_pictures(folder, Choice(labels="breed"))


def test_celeba_is_split_by_its_partition_and_labelled_by_an_attribute(tmp_path: Path) -> None:
    folder = celeba(tmp_path / "celeba")
    assert [entry.name[-10:] for entry in list_pictures(folder, Choice()).entries] == [f"00000{n}.jpg" for n in "123"]
    assert len(open_data(folder, size=8, split="test")) == 2
    found, left_out = labelled(folder, labels="Male")
    assert list(found.values()) == ["-1", "1", "-1"]
    assert left_out == []


def test_celeba_s_pictures_may_still_be_in_their_zip(tmp_path: Path) -> None:
    folder = celeba(tmp_path / "celeba")
    with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as archive:
        for path in sorted((folder / "img_align_celeba").iterdir()):
            archive.write(path, f"img_align_celeba/{path.name}")
            path.unlink()
    (folder / "img_align_celeba").rmdir()
    assert open_data(folder, size=8).names == ("000001.jpg", "000002.jpg", "000003.jpg")
    assert list(labelled(folder, split="test", labels="Male")[0].values()) == ["-1", "1"]


def test_the_lists_that_kaggle_gives_out_serve_as_well(tmp_path: Path) -> None:
    folder = pictures(tmp_path, "img_align_celeba/img_align_celeba/1.jpg", "img_align_celeba/img_align_celeba/2.jpg")
    (folder / "list_eval_partition.csv").write_text("image_id,partition\n1.jpg,2\n2.jpg,0\n")
    assert [entry.name[-5:] for entry in list_pictures(folder, Choice()).entries] == ["2.jpg"]


def test_imagenet_s_dogs_are_chosen_by_their_ids(tmp_path: Path) -> None:
    ids = ("n02077923", "n02085620", "n02099601", "n02113978", "n02114367", "n03000134")
    folder = pictures(tmp_path, *(f"{split}/{kind}/{kind}_1.JPEG" for split in ("train", "val") for kind in ids))
    found, _ = labelled(folder, classes=("dogs",))
    assert list(found.values()) == ["n02085620", "n02099601", "n02113978"]
    found, _ = labelled(folder, split="test", classes=("n03000134", "n02077923"))
    assert list(found.values()) == ["n02077923", "n03000134"]
    with pytest.raises(UsageError, match="no class folder is one of n99, n98"):
        list_pictures(folder, Choice(classes=("n99", "n98")))


def test_the_order_is_that_of_the_names_whatever_the_disk_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pictures(tmp_path, *(f"{kind}/{number}.png" for kind in "ba" for number in (10, 9, 1)))
    expected = [entry.name for entry in list_pictures(folder).entries]
    walk = os.walk
    monkeypatch.setattr(os, "walk", lambda *path, **options: reversed([*walk(*path, **options)]))
    assert [entry.name for entry in list_pictures(folder).entries] == expected
    assert expected[:3] == ["a/1.png", "a/10.png", "a/9.png"]


def test_a_file_that_is_neither_folder_nor_archive_is_refused(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    with pytest.raises(DataError, match=r"a\.png: neither a folder nor an archive of pictures"):
        list_pictures(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png: neither a folder nor an archive of pictures"):
        pack(tmp_path / "a.png", tmp_path / "p", Framing(size=8))


def test_labels_of_a_split_are_numbered_by_the_names_of_their_classes(tmp_path: Path) -> None:
    folder = pictures(tmp_path, "train/b/1.png", "train/a/1.png", "test/a/1.png", "test/b/1.png", "test/b/2.png")
    packed = open_data(folder, size=8, split="test")
    assert packed.classes == ("a", "b")
    np.testing.assert_array_equal(packed.labels, [0, 1, 1])


def test_a_folder_train_beside_other_folders_is_no_split_and_may_be_a_class(tmp_path: Path) -> None:
    folder = pictures(tmp_path, "bus/1.png", "car/1.png", "train/1.png")
    with pytest.raises(DataError, match=r"a folder train, .* and also bus, car: rename train if it is a class"):
        open_data(folder, size=8)


def test_folders_beside_train_are_left_out_where_it_is_known_for_a_split_or_they_hold_no_pictures(
    tmp_path: Path,
) -> None:
    split = pictures(tmp_path / "split", "train/a/1.png", "train/b/1.png", "valid/a/1.png", "unlabeled/1.png")
    assert open_data(split, size=8).names == ("a/1.png", "b/1.png")
    noted = pictures(tmp_path / "noted", "train/a/1.png", "train/b/1.png")
    (noted / "annotations").mkdir()
    (noted / "annotations" / "a.json").write_text("{}")
    assert open_data(noted, size=8).classes == ("a", "b")


def test_a_picture_beside_the_class_folders_is_named_with_what_it_costs(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "set", "cat/1.png", "dog/1.png", "cover.png")
    packed = open_data(folder, size=8)
    assert (packed.classes, packed.names) == ((), ("cat/1.png", "cover.png", "dog/1.png"))
    said = "no picture has a class: cover.png lies beside the folders cat, dog: move it into one of them, or away"
    assert without_class(packed.names) == pack(folder, tmp_path / "p", Framing(size=8)).notes[0] == said
    assert "cover.png and 1 more lie beside the folders cat, dog: move them into these" in without_class(
        ("cover.png", "cat/1.png", "dog/1.png", "other.png")
    )
    assert without_class(("a.png", "cat/1.png")) == without_class(("cat/1.png", "dog/1.png")) == ""
