"""Chains by the command line: three files, a line a step, and what is refused."""

import csv
import shutil
from unittest.mock import patch

import pytest
from PIL import Image

from ebgan.cli.main import run
from ebgan.metrics import TrainedClassifier
from ebgan.nets.classifier import ConvClassifier
from ebgan.runs.run import Run


def test_a_chain_becomes_a_picture_a_film_and_a_table_and_prints_a_line_a_step(transitions, tmp_path, capsys):
    asked = ["--steps", "3", "--count", "5", "--out", str(tmp_path), "--device", "cpu"]
    assert run(["chain", str(transitions), *asked]) == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()[:5]] == ["step", "0", "1", "2", "3"]
    assert "distance from the start" in said
    assert all(str(tmp_path / file) in said for file in ("chain.png", "chain.gif", "chain.csv"))
    assert Image.open(tmp_path / "chain.png").size == (5 * 48 + 4 * 2, 4 * 48 + 3 * 2)
    with Image.open(tmp_path / "chain.gif") as film:
        assert film.n_frames == 4
    with (tmp_path / "chain.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 5
    assert {row["class"] for row in rows} == {""}  # noise has no classes


def test_chains_start_from_images_that_are_given(transitions, tmp_path, capsys):
    asked = ["--steps", "1", "--count", "2", "--from", "digits", "--out", str(tmp_path), "--device", "cpu"]
    assert run(["chain", str(transitions), *asked]) == 0
    with (tmp_path / "chain.csv").open(newline="") as file:
        assert all(float(row["nearest"]) > 1 for row in csv.DictReader(file))  # no digit stands in the noise


def test_the_training_images_can_be_given(transitions, tmp_path, capsys):
    there, here = transitions.parent / "noise.npz", tmp_path / "here.npz"
    shutil.copy(there, here)
    asked = ["--steps", "1", "--count", "2", "--data", str(here), "--out", str(tmp_path), "--device", "cpu"]
    with patch.object(Run, "reopened", side_effect=AssertionError):
        assert run(["chain", str(transitions), *asked]) == 0
    assert "other images" not in capsys.readouterr().out
    with (tmp_path / "chain.csv").open(newline="") as file:
        assert all(float(row["nearest"]) == 0 for row in csv.DictReader(file) if row["step"] == "0")


def test_other_images_can_be_given_and_are_told(transitions, tmp_path, capsys):
    asked = ["--steps", "1", "--count", "2", "--from", "digits", "--data", "digits", "--out", str(tmp_path)]
    learned = TrainedClassifier(ConvClassifier(1, 10).eval(), 0.9, "none")
    with patch("ebgan.runs.examiners.images.digit_classifier", return_value=learned):
        assert run(["chain", str(transitions), *asked, "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "digits differs from the images that the run was trained on" in said
    assert "classes visited" in said
    with (tmp_path / "chain.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(float(row["nearest"]) < 1e-2 for row in rows if row["step"] == "0")
    assert {row["class"] for row in rows} <= set("0123456789")


def test_training_images_that_are_gone_are_asked_for_by_the_option_that_takes_them(transitions, tmp_path, capsys):
    moved = shutil.copytree(transitions, tmp_path / "run")
    config = moved / "config.yaml"
    config.write_text(config.read_text().replace("noise.npz", "gone.npz"))
    assert run(["chain", str(moved), "--from", "digits", "--device", "cpu"]) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "with which a chain is compared" in said
    assert "give them by --data" in said


@pytest.mark.parametrize(
    ("asked", "said"), [(["--steps", "0"], "--steps 0: expected at least 1"), (["--count", "0"], "--count 0: expected")]
)
def test_no_steps_or_no_chains_are_refused(transitions, asked, said, capsys):
    assert run(["chain", str(transitions), *asked]) == 2
    assert said in capsys.readouterr().err


def test_a_run_that_starts_from_noise_is_refused(trained, capsys):
    assert run(["chain", str(trained), "--device", "cpu"]) == 2
    assert "start from noise; a chain needs transitions (VCD)" in capsys.readouterr().err
