"""A user's folder with few labels: `ebgan train --labels`, and `ebgan classify`."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from ebgan.cli.main import run
from ebgan.storage.runfolder import read_records

SMALL = ["--data.size", "8", "--images", "3000", "--nets.discriminator.widths", "30", "20"]
QUICK = ["--optimisers.discriminator.lr", "5e-3", "--evaluation.every", "3000", "--device", "cpu"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of zeros and ones, named by their places, and labels.csv beside it for every fourth of them."""
    home = tmp_path_factory.mktemp("user")
    pixels, names = load_digits(n_class=2, return_X_y=True)
    (home / "images").mkdir()
    lines = ["image,label"]
    for place, (image, name) in enumerate(zip(pixels[:120], names, strict=False)):
        Image.fromarray((image.reshape(8, 8) * 15).astype(np.uint8)).save(home / "images" / f"{place:03d}.png")
        if place % 4 == 0:
            lines.append(f"{place:03d}.png,{'one' if name else 'zero'}")
    (home / "labels.csv").write_text("\n".join(lines), "utf-8")
    return home


@pytest.fixture(scope="module")
def learned(pictures: Path) -> Path:
    """The folder of a run on these pictures."""
    out = pictures / "run"
    given = ["--data", str(pictures / "images"), "--labels", str(pictures / "labels.csv")]
    assert run(["train", "semisupervised.folder", str(out), *given, *SMALL, *QUICK]) == 0
    return out


def test_a_folder_with_few_labels_trains_and_says_its_error(learned: Path) -> None:
    evaluation = read_records(learned / "evaluations.jsonl")[-1]
    assert evaluation["metrics"]["test_error"] <= 0.2
    assert evaluation["classification"]["classes"] == ["one", "zero"]
    assert evaluation["protocol"] == {
        "tested on": "6 images of the data whose labels were not used",
        "labelled images": 24,
    }


def test_an_error_is_told_with_the_number_of_images_and_its_interval(learned: Path, capsys) -> None:
    assert run(["evaluate", str(learned), "--device", "cpu"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert " of 6, 95 %" in said
    page = (learned / "report.html").read_text("utf-8")
    assert " of 6, 95 % interval " in page
    assert "which makes no samples" in page
    assert "No samples yet" not in page
    assert "Real images</th>" not in page


def test_classify_writes_class_probability_and_energy_of_each_image(learned: Path, pictures: Path, capsys) -> None:
    table = pictures / "classes.csv"
    assert run(["classify", str(learned), str(pictures / "images"), "--csv", str(table), "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "100 more" in said
    table_lines = said[said.index("  chance") :].splitlines()
    assert table_lines[0].split() == ["chance", "class", "energy", "image"]
    assert table_lines[1].split()[-1] == "000.png"
    assert str(table) in said
    rows = list(csv.DictReader(table.open(newline="")))
    _, names = load_digits(n_class=2, return_X_y=True)
    right = [row["class"] == ("one" if name else "zero") for row, name in zip(rows, names, strict=False)]
    assert len(rows) == 120
    assert np.mean(right) > 0.9
    assert [row["image"] for row in rows[:2]] == ["000.png", "001.png"]
    assert all(0.5 <= float(row["probability"]) <= 1 and float(row["energy"]) > 0 for row in rows)


def test_classify_says_the_error_of_a_set_with_the_same_classes(
    learned: Path, pictures: Path, tmp_path, capsys
) -> None:
    for name in ("one", "zero"):
        (tmp_path / name).mkdir()
    for place, name in ((0, "zero"), (1, "one"), (4, "zero")):
        (tmp_path / name / f"{place}.png").write_bytes((pictures / "images" / f"{place:03d}.png").read_bytes())
    assert run(["classify", str(learned), str(tmp_path), "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert " of 3 in " in said
    assert ", 95 % interval " in said


def test_what_cannot_be_classified_is_refused_with_the_mend(learned: Path, trained: Path, capsys) -> None:
    assert run(["classify", str(learned)]) == 2
    assert "no images given" in capsys.readouterr().err
    assert run(["classify", str(trained), "digits", "--device", "cpu"]) == 2
    assert "has no classifier" in capsys.readouterr().err


def test_a_labels_file_that_does_not_fit_is_refused_with_its_line(pictures: Path, tmp_path: Path, capsys) -> None:
    bad = tmp_path / "labels.csv"
    bad.write_text("image,label\nnone.png,zero\n", "utf-8")
    given = ["--data", str(pictures / "images"), "--labels", str(bad)]
    assert run(["train", "semisupervised.folder", str(tmp_path / "run"), *given, *SMALL, "--device", "cpu"]) == 3
    assert "line 2: none.png: no such picture" in capsys.readouterr().err


def test_a_run_whose_data_has_moved_is_evaluated_where_it_is_now(tmp_path: Path, capsys) -> None:
    pixels, names = load_digits(n_class=2, return_X_y=True)
    for place, (image, name) in enumerate(zip(pixels[:60], names, strict=False)):
        folder = tmp_path / "old" / str(name)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image.reshape(8, 8) * 15).astype(np.uint8)).save(folder / f"{place:03d}.png")
    asked = ["semisupervised.folder", str(tmp_path / "run"), "--data", str(tmp_path / "old"), "--labelled.count", "20"]
    assert run(["train", *asked, *SMALL, "--images", "200", "--device", "cpu"]) == 0
    (tmp_path / "old").rename(tmp_path / "new")
    assert run(["evaluate", str(tmp_path / "run"), "--data", str(tmp_path / "new"), "--device", "cpu"]) == 0
    assert "40 images of the data whose labels were not used" in " ".join(capsys.readouterr().out.split())


def test_classify_says_on_which_images_its_error_is_or_why_there_is_none(
    learned: Path, pictures: Path, tmp_path: Path, capsys
) -> None:
    assert run(["classify", str(learned), str(pictures / "images"), "--device", "cpu"]) == 0
    assert "no error: images has no classes" in capsys.readouterr().out
    for kind, names in {"zero": ("000", "010"), "one": ("001",), "two": ("002",)}.items():
        (tmp_path / "set" / kind).mkdir(parents=True)
        for name in names:
            shutil.copy(pictures / "images" / f"{name}.png", tmp_path / "set" / kind)
    assert run(["classify", str(learned), str(tmp_path / "set"), "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert " of 3 in set, 95 % interval " in said
    assert "; left out two (1), which are not classes of the data" in said
