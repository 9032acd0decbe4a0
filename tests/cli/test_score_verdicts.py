"""`ebgan score --normals --contamination`: a threshold that stays with the run, and is the same in Python."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ebgan
from ebgan.cli.main import run
from ebgan.data import open_data
from ebgan.detection.of_run import keep, kept

DIGITS = open_data("digits").images[:, 0]
NOISE = np.random.default_rng(0).integers(0, 256, (12, 8, 8), np.uint8)


def write(folder: Path, images: np.ndarray) -> None:
    folder.mkdir(parents=True)
    for place, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{place:03d}.png")


@pytest.fixture
def mvtec(tmp_path: Path) -> Path:
    """The layout of MVTec AD: train/good, test/good, test/DEFECT and ground_truth/DEFECT with masks."""
    category = tmp_path / "bottle"
    write(category / "train" / "good", DIGITS[:20])
    write(category / "test" / "good", DIGITS[200:220])
    write(category / "test" / "broken", NOISE)
    write(category / "ground_truth" / "broken", NOISE)
    write(tmp_path / "kept_out", DIGITS[300:400])
    return category


@pytest.fixture
def own(trained: Path, tmp_path: Path) -> Path:
    """A copy of a run, whose folder a test may change."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_mvtec_s_layout_is_judged_as_it_is_by_a_threshold_that_stays(own, mvtec, tmp_path, capsys):
    table = tmp_path / "table.csv"
    judged = ["score", str(own), str(mvtec), "--split", "test", "--normal", "good", "--contamination", "0.1"]
    assert run([*judged, "--normals", str(tmp_path / "kept_out"), "--csv", str(table)]) == 0
    first = capsys.readouterr().out
    assert "0.1 of 100 normal images" in first
    assert "average precision" in first
    rows = list(csv.DictReader(table.open()))
    assert sorted({row["class"] for row in rows}) == ["broken", "good"]
    loaded = ebgan.load(own)
    threshold = kept(loaded).threshold(0.1)
    assert f"threshold {threshold:.6g}" in first
    for row in rows:
        assert row["verdict"] == ("anomalous" if float(row["energy"]) > threshold else "normal")
        assert (float(row["p_value"]) <= 0.1) <= (row["verdict"] == "anomalous")
    alarms = sum(row["verdict"] == "anomalous" for row in rows if row["class"] == "good")
    assert f"false alarms {alarms} of 20 normal" in first
    assert run(judged) == 0
    assert capsys.readouterr().out.splitlines()[:-1] == first.splitlines()[:-2]


def test_the_same_threshold_is_had_in_python(own, tmp_path, capsys):
    loaded = ebgan.load(own)
    normals = keep(loaded, DIGITS[300:400][:, None], "kept out")
    write(tmp_path / "new", DIGITS[:3])
    assert run(["score", str(own), str(tmp_path / "new"), "--contamination", "0.05"]) == 0
    assert f"threshold {normals.threshold(0.05):.6g}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--contamination", "0.1"], 2, "by --normals"),
        (["--normals", "digits"], 2, "--contamination"),
        (["--normals", "digits", "--contamination", "0"], 2, "contamination=0"),
        (["--normals", "digits", "--contamination", "0.6"], 2, "contamination=0.6"),
        (["--normals", "digits", "--contamination", "1e-9"], 2, "less than one"),
        (["--normals", "/no/such", "--contamination", "0.1"], 3, "/no/such"),
    ],
)
def test_a_threshold_that_cannot_be_had_is_refused(own, capsys, options, code, message):
    assert run(["score", str(own), "digits", *options]) == code
    assert message in capsys.readouterr().err


def test_normal_energies_of_other_weights_are_refused(own, capsys):
    keep(ebgan.load(own), DIGITS[300:400][:, None])
    for path in (own / "checkpoints").glob("000002560.ckpt"):
        path.unlink()
    newest = sorted((own / "checkpoints").glob("[0-9]*.ckpt"))[-1]
    assert newest.name != "000000002560.ckpt" or newest.unlink() is None
    assert run(["score", str(own), "digits", "--contamination", "0.1"]) == 2
    assert "other weights" in capsys.readouterr().err
