"""What tables call pictures, in the ways in which people write it."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.data import Choice, Packed, with_labels
from ebgan.data.listing import list_pictures
from ebgan.data.matching import PictureNames
from ebgan.errors import DataError

NAMES = ("cat/0001.jpg", "cat/0002.jpg", "dog/0003.jpg", "dog/0004.jpg")
COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "café.png") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    "given",
    [
        "cat/0001.jpg",
        "0001.jpg",
        "./cat/0001.jpg",
        "train/cat/0001.jpg",
        "/home/me/pics/cat/0001.jpg",
        "C:\\pics\\cat\\0001.jpg",
        "cat\\0001.jpg",
        "CAT/0001.JPG",
        "0001",
        "cat/0001",
        "0001.png",
    ],
)
def test_a_picture_is_found_by_what_people_write(given: str) -> None:
    assert PictureNames(NAMES).find(given) == 0


@pytest.mark.parametrize("given", ["1", "dog/0001.jpg", "01.jpg", "0005.jpg", "test/cat/0001.jpg", "", "cat"])
def test_what_names_no_picture_finds_none(given: str) -> None:
    assert PictureNames(NAMES).find(given) is None


def test_letters_with_accents_may_be_composed_or_not() -> None:
    assert PictureNames([DECOMPOSED]).find(COMPOSED) == PictureNames([COMPOSED]).find(DECOMPOSED) == 0


@pytest.mark.parametrize(
    ("names", "given"),
    [
        (("cat/1.png", "dog/1.png"), "1.png"),
        (("A.png", "a.png"), "A.PNG"),
        (("a.png", "a.jpg"), "a"),
        (("1.png", "2.png", "2.png"), "x/2.png"),
    ],
)
def test_a_name_of_several_pictures_is_refused(names: tuple[str, ...], given: str) -> None:
    with pytest.raises(ValueError, match="fits several pictures"):
        PictureNames(names).find(given)


def test_a_name_that_is_written_out_is_preferred_to_the_end_of_another() -> None:
    assert PictureNames(("cat/1.png", "1.png")).find("1.png") == 1


def labelled(folder: Path, text: str, names: tuple[str, ...] = NAMES) -> dict[str, str]:
    (folder / "labels.csv").write_text(text, "utf-8")
    images = np.zeros((len(names), 1, 2, 2), np.uint8)
    packed = with_labels(Packed(images, name="pics", names=names), folder / "labels.csv")
    assert packed.labels is not None
    return {name: packed.classes[label] for name, label in zip(names, packed.labels, strict=True) if label >= 0}


@pytest.mark.parametrize(
    "text",
    [
        "image,label\n0001.jpg,a\n0003.jpg,b\n",
        "label,image\na,0001.jpg\nb,0003.jpg\n",
        ",filename,class,extra\n0,0001.jpg,a,1\n1,0003.jpg,b,2\n",
        "id;label\n0001;a\n0003;b\n",
        "\ufeffpath\tcategory\r\ncat/0001.jpg\ta\r\n0003.jpg\tb\r\n",
        "image, label\n train/cat/0001.jpg , a\n train/dog/0003.jpg,b\n test/cat/0001.jpg,b\n val/x.jpg,c\n",
        "image,label\n0001.jpg,a\ncat/0001.jpg,a\n0003.jpg,b\n",
    ],
)
def test_a_table_of_labels_may_be_written_in_many_ways(tmp_path: Path, text: str) -> None:
    assert labelled(tmp_path, text) == {"cat/0001.jpg": "a", "dog/0003.jpg": "b"}


def test_a_table_that_does_not_fit_is_refused_with_three_names_of_either_side(tmp_path: Path) -> None:
    with pytest.raises(
        DataError,
        match=r"line 2: x1: no such picture, .* 4 of 4 rows\): the table has x1, x2, x3 and 1 more; the pictures "
        r"are cat/0001\.jpg, cat/0002\.jpg, dog/0003\.jpg and 1 more",
    ):
        labelled(tmp_path, "image,label\nx1,a\nx2,b\nx3,c\nx4,d\n")
    with pytest.raises(DataError, match=r"line 3: cat/0001\.jpg is b here and a above"):
        labelled(tmp_path, "image,label\n0001,a\ncat/0001.jpg,b\n")
    with pytest.raises(DataError, match=r"line 2: 1\.png: fits several pictures \(cat/1\.png, dog/1\.png\)"):
        labelled(tmp_path, "image,label\n1.png,a\n2.png,b\n", ("cat/1.png", "dog/1.png", "2.png"))


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("index.csv", "file,breed\n1.jpg,pug\n3.jpg,cat\n"),
        ("index.csv", "breed,file\npug,1.jpg\ncat,3.jpg\n"),
        ("index.csv", ",id,breed\n7,1,pug\n8,3,cat\n"),
        ("index.csv", "file;breed\n/x/a/1.jpg;pug\nD:\\q\\b\\3.JPG;cat\n"),
        ("index.tsv", "file\tbreed\nA/1.jpg\tpug\nb/3.jpg\tcat\n"),
    ],
)
def test_a_table_beside_the_pictures_may_be_written_in_many_ways(tmp_path: Path, table: str, text: str) -> None:
    for name in ("pics/a/1.jpg", "pics/a/2.jpg", "pics/b/3.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(tmp_path / name)
    (tmp_path / "pics" / table).write_text(text, "utf-8")
    listing = list_pictures(tmp_path, Choice(labels="breed"))
    assert [entry.name for entry in listing.entries] == ["a/1.jpg", "b/3.jpg"]
    assert listing.classify(["a/1.jpg", "b/3.jpg"]).names == ("cat", "pug")
    assert listing.left_out == [("a/2.jpg", "not in the table")]


def test_of_two_labels_for_a_picture_in_a_table_beside_it_none_wins(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "1.jpg")
    (tmp_path / "index.csv").write_text("file,breed\n1.jpg,pug\n1,cat\n")
    with pytest.raises(DataError, match=r"index\.csv, line 3: 1\.jpg is cat here and pug above: keep one of them"):
        list_pictures(tmp_path, Choice(labels="breed"))
