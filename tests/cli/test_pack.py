import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.cli.main import run
from ebgan.experiment import Data

RANDOM = np.random.default_rng(11)


def png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(RANDOM.integers(0, 256, (10, 12, 3), dtype=np.uint8)).save(file, format="PNG")
    return file.getvalue()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A zip of forty pictures of two classes, eleven that are damaged, and a file that is none."""
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for number in range(40):
            archive.writestr(f"photos/{'cat' if number < 25 else 'dog'}/{number}.png", png())
        for number in range(11):
            archive.writestr(f"photos/cat/torn {number:02d}.png", "no picture")
        archive.writestr("photos/notes.txt", "no picture")
    return tmp_path / "photos.zip"


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The line of an error."""
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_photos_are_packed_and_can_be_trained_on(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dest = str(tmp_path / "photos8")
    assert run(["pack", str(photos), dest, "--size", "8", "--workers", "1"]) == 0
    listed = "".join(f"  cat/torn {number:02d}.png: cannot identify image file\n" for number in range(10))
    assert capsys.readouterr().out == (
        f"packed   40 images 3 x 8 x 8 in {dest}\n"
        "classes  2: cat 25, dog 15\n"
        "note     classes by their folders (cat, dog); --data.classes none if these are not classes\n"
        "note     ignored 1 file that is not a picture (.txt)\n"
        f"refused  11 files, listed in {dest}/rejected.csv\n"
        f"{listed}and 1 more\n"
    )
    assert Data(source=dest, size=8, crop=6, flip=True).open().shape == (3, 6, 6)


def test_grey_pictures_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pack", "digits", str(tmp_path / "p"), "--size", "8"]) == 0
    assert capsys.readouterr().out.endswith("All are grey: --channels 1 takes a third of the space.\n")
    (tmp_path / "set").mkdir()
    Image.new("L", (9, 9), 3).save(tmp_path / "set" / "a.png")
    for channels, told in (("3", True), ("1", False)):
        assert (
            run(["pack", str(tmp_path / "set"), str(tmp_path / channels), "--size", "8", "--channels", channels]) == 0
        )
        assert ("All are grey: --channels 1 takes a third of the space." in capsys.readouterr().out) == told


@pytest.mark.parametrize(
    ("argv", "code", "line"),
    [
        (["pack"], 2, "SRC is missing"),
        (["pack", "{photos}", "{here}/p"], 2, "--size"),
        (["pack", "{photos}", "{here}/p", "--size", "0"], 2, "size=0: expected at least 1"),
        (["pack", "{photos}", "{here}/p", "--size", "8", "--channels", "2"], 2, "--channels"),
        (["pack", "{here}/nowhere", "{here}/p", "--size", "8"], 3, "nowhere: no such file or folder, and no set of"),
        (["pack", "{photos}", "{here}", "--size", "8"], 2, "holds other files (photos.zip)"),
        (["pack", "{photos}", "{here}/p", "--size", "8", "--classes", "fox"], 2, "no class folder is one of fox"),
        (
            ["pack", "{photos}", "{here}/p", "--size", "8", "--labels", "age"],
            2,
            "no table has a column 'age': there is no table",
        ),
        (["pack", "{photos}", "{here}/p", "--size", "8", "--split", "test"], 3, "has no test split"),
        (["train", "digits", "{here}/r", "--data", "{photos}"], 3, "needs --data.size"),
    ],
)
def test_what_cannot_be_packed_is_told_in_one_line(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[str], code: int, line: str
) -> None:
    assert run([word.format(photos=photos, here=tmp_path) for word in argv]) == code
    assert line in said(capsys)
    assert not (tmp_path / "p").exists()
