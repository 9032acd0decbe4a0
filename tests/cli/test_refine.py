"""`ebgan sample --refine`."""

import re

import numpy as np
import pytest
from PIL import Image

import ebgan
from ebgan.cli.main import run
from ebgan.report import grid

LINE = re.compile(
    r"refined +([\d,]+) of ([\d,]+) candidates accepted \((\d+)%\); ([\d,]+) images through the nets for 9 samples; "
    r"[\d.e-]+ s, and [\d.e-]+ s without; [\d.e-]+ s of calibration"
)


@pytest.mark.parametrize(
    ("kind", "refine"), [("rejection", ebgan.Rejection(budget=2)), ("langevin", ebgan.LatentLangevin(budget=2))]
)
def test_refined_samples_are_written_and_their_cost_is_told(trained, tmp_path, capsys, kind, refine):
    path = tmp_path / "refined.png"
    assert run(["sample", str(trained), "--count", "9", "--refine", kind, "--budget", "2", "--grid", str(path)]) == 0
    accepted, candidates, share, passes = (
        int(each.replace(",", "")) for each in LINE.search(capsys.readouterr().out).groups()
    )
    assert share == round(100 * accepted / candidates)
    assert 9 <= passes <= 18
    samples = ebgan.load(trained).sample(9, refine=refine)
    assert np.array_equal(np.asarray(Image.open(path)), np.asarray(grid(samples)))


def test_a_landscape_shows_refined_points(tmp_path):
    tiny = ["--images", "640", "--evaluation.samples", "20", "--evaluation.grid", "20", "--device", "cpu"]
    assert run(["train", "toy.ring.ebgan", str(tmp_path), *tiny]) == 0
    plain, refined = tmp_path / "plain.png", tmp_path / "refined.png"
    assert run(["sample", str(tmp_path), "--grid", str(plain)]) == 0
    assert run(["sample", str(tmp_path), "--refine", "rejection", "--grid", str(refined)]) == 0
    assert not np.array_equal(np.asarray(Image.open(plain)), np.asarray(Image.open(refined)))


@pytest.mark.parametrize("option", [["--strip", "x.png"], ["--truncation", "0.5"], ["--from", "digits"]])
def test_what_refined_samples_cannot_be_is_refused(trained, option, capsys):
    assert run(["sample", str(trained), "--refine", "rejection", *option]) == 2
    assert f"--refine rejection: refined samples start from noise as it is: leave {option[0]} out" in (
        capsys.readouterr().err
    )


def test_a_budget_below_one_is_refused(trained, capsys):
    assert run(["sample", str(trained), "--refine", "langevin", "--budget", "0"]) == 2
    assert "refine.budget=0: expected at least 1" in capsys.readouterr().err
