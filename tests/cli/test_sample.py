"""Strips, walks, truncated noise and samples in order of energy."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ebgan
from ebgan.cli.main import run
from ebgan.report import grid
from ebgan.runs.walks import COLUMNS, FRAMES


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_a_strip_and_a_walk_are_written_without_a_grid(trained, tmp_path, capsys):
    strip, walk, before = tmp_path / "strip.png", tmp_path / "walk.gif", set(trained.iterdir())
    assert run(["sample", str(trained), "--count", "3", "--strip", str(strip), "--walk", str(walk)]) == 0
    said = capsys.readouterr().out
    assert str(strip) in said
    assert str(walk) in said
    assert set(trained.iterdir()) == before
    assert pixels(strip).shape == (3 * 48 + 2 * 2, COLUMNS * 48 + (COLUMNS - 1) * 2)
    with Image.open(walk) as film:
        assert (film.n_frames, film.size, film.info["loop"]) == (3 * FRAMES, (192, 192), 0)


def test_a_strip_starts_at_the_samples_that_a_grid_of_the_same_seed_shows(trained, tmp_path):
    strip, samples = tmp_path / "strip.png", tmp_path / "grid.png"
    assert run(["sample", str(trained), "--seed", "4", "--strip", str(strip)]) == 0
    assert run(["sample", str(trained), "--seed", "4", "--count", "4", "--grid", str(samples)]) == 0
    first = pixels(strip)[:98, :48].astype(int)
    assert np.abs(first[:48] - pixels(samples)[:48, :48]).max() <= 1
    assert np.abs(first[50:] - pixels(samples)[:48, 50:]).max() <= 1


def test_ranked_samples_stand_in_order_of_energy_the_lowest_first(trained, tmp_path, capsys):
    path = tmp_path / "ranked.png"
    assert run(["sample", str(trained), "--count", "9", "--ranked", "--grid", str(path)]) == 0
    here = ebgan.load(trained)
    samples = here.sample(9)
    energy = here.energy(samples)
    assert np.array_equal(pixels(path), np.asarray(grid(samples[energy.argsort()])))
    told = re.search(r"energy +([\d.]+) of the first to ([\d.]+) of the last", capsys.readouterr().out)
    assert [float(each) for each in told.groups()] == pytest.approx(
        [energy.min().item(), energy.max().item()], abs=1e-4
    )


def test_ranked_transitions_stay_beside_what_they_started_from(transitions, tmp_path, monkeypatch):
    monkeypatch.setattr(ebgan.Run, "energy", lambda _, images: -torch.arange(len(images)).float())
    for name, option in (("plain", []), ("ranked", ["--ranked"])):
        assert run(["sample", str(transitions), "--count", "4", "--grid", str(tmp_path / name), *option]) == 0
    turned = ebgan.load(transitions).sources(4).flip(0)
    assert np.array_equal(pixels(tmp_path / "ranked")[:, :98], np.asarray(grid(turned)))
    plain, ranked = (pixels(tmp_path / name)[:, -98:] for name in ("plain", "ranked"))
    assert np.array_equal(plain[:48, :48], ranked[50:, 50:])
    assert not np.array_equal(plain, ranked)


def test_truncated_noise_makes_samples_that_are_more_alike(trained, tmp_path):
    spreads = []
    for truncation in ("0.1", "1", "9"):
        out = tmp_path / truncation
        assert run(["sample", str(trained), "--count", "20", "--truncation", truncation, "--out", str(out)]) == 0
        spreads.append(np.stack([pixels(path) for path in sorted(out.iterdir())]).std(0).mean())
    assert spreads == sorted(spreads)
    assert spreads[0] < 0.5 * spreads[-1]


@pytest.mark.parametrize("option", [["--strip", "x.png"], ["--walk", "x.gif"], ["--truncation", "0.5"]])
def test_what_needs_noise_is_refused_of_a_run_whose_samples_start_from_images(transitions, option, capsys):
    assert run(["sample", str(transitions), *option]) == 2
    assert "its samples start from images of the data, not from noise" in capsys.readouterr().err


def test_a_truncation_that_leaves_nothing_and_a_way_of_one_sample_are_refused(trained, tmp_path, capsys):
    assert run(["sample", str(trained), "--truncation", "0"]) == 2
    assert "truncation 0: expected a number above 0" in capsys.readouterr().err
    assert run(["sample", str(trained), "--count", "1", "--strip", str(tmp_path / "x.png")]) == 2
    assert "expected a count of at least 2" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--strip", "x.png"], ["--walk", "x.gif"], ["--ranked"]])
def test_points_are_no_pictures(tmp_path, option, capsys):
    tiny = ["--images", "64", "--evaluation.samples", "20", "--evaluation.grid", "20", "--device", "cpu"]
    assert run(["train", "toy.gaussian.gan", str(tmp_path), *tiny]) == 0
    assert run(["sample", str(tmp_path), *option]) == 2
    assert f"{option[0]}: this run was trained on points" in capsys.readouterr().err
