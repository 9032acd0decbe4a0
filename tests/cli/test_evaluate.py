"""The neighbours of samples by the command line."""

import json

import numpy as np
import torch
from PIL import Image

from ebgan.cli.main import run
from ebgan.metrics import inception_v3
from ebgan.metrics.inception_v3 import InceptionV3


def test_neighbours_are_drawn_and_their_distances_stand_beside_the_metrics(trained, tmp_path, capsys):
    path = tmp_path / "neighbours.png"
    assert run(["evaluate", str(trained), "--samples", "100", "--json", "--neighbours", str(path)]) == 0
    record = json.loads(capsys.readouterr().out)
    assert {"i_usual", "precision", "pixel_distance", "pixel_distance_real"} <= set(record["metrics"])
    assert record["protocol"]["neighbours_of"] == "500 samples, 500 real images held out in turn"
    assert record["protocol"]["real_set"].startswith("digits, SHA-256 ")
    with Image.open(path) as picture:
        assert min(picture.size) > 500


def test_neighbours_need_no_classes(transitions, tmp_path, capsys):
    path = tmp_path / "neighbours.png"
    assert run(["evaluate", str(transitions), "--neighbours", str(path)]) == 0
    said = capsys.readouterr().out
    assert "Nearest data, pixels" in said
    assert str(path) in said
    assert path.exists()


def test_neighbours_of_points_are_refused(tmp_path, capsys):
    tiny = ["--images", "64", "--evaluation.samples", "20", "--evaluation.grid", "20", "--device", "cpu"]
    assert run(["train", "toy.gaussian.gan", str(tmp_path), *tiny]) == 0
    assert run(["evaluate", str(tmp_path), "--neighbours", str(tmp_path / "x.png")]) == 2
    assert "this run was trained on points" in capsys.readouterr().err


def test_another_file_than_inception_s_is_refused(transitions, tmp_path, capsys):
    (tmp_path / "other.pt").write_bytes(b"something else")
    assert run(["evaluate", str(transitions), "--weights", str(tmp_path / "other.pt")]) == 3
    assert "not the weights of InceptionV3" in capsys.readouterr().err


def test_other_classes_than_inception_s_are_refused(transitions, tmp_path, capsys):
    assert run(["evaluate", str(transitions), "--classes", str(tmp_path / "none.pth")]) == 3
    assert "none.pth: cannot be read as pt_inception-2015-12-05-6726825d.pth" in capsys.readouterr().err


def test_distances_on_inception_stand_beside_the_neighbours(transitions, tmp_path, capsys, monkeypatch):
    layers = torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(), torch.nn.ConstantPad1d((0, 2000), 0)
    stand_in = torch.nn.Sequential(*layers)
    monkeypatch.setattr(inception_v3, "load_inception", lambda *_: InceptionV3(stand_in, torch.device("cpu")))
    picture = ["--neighbours", str(tmp_path / "neighbours.png")]
    assert run(["evaluate", str(transitions), "--samples", "30", "--inception", "--json", *picture]) == 0
    record = json.loads(capsys.readouterr().out)
    assert {"fid_inception", "kid_inception", "pixel_distance"} <= set(record["metrics"])
    assert record["protocol"]["inception_samples"] == 30


def test_data_that_lies_elsewhere_now_is_asked_for_by_option(tmp_path, capsys):
    digits, moved = tmp_path / "digits.npz", tmp_path / "moved.npz"
    classes = np.arange(240) // 3 % 2  # dark and bright images, which a classifier tells apart
    levels = np.random.default_rng(0).integers(0, 60, (240, 8, 8)) + 180 * classes[:, None, None]
    np.savez(digits, images=levels.astype(np.uint8), labels=classes)
    small = ["--images", "64", "--batch", "16", "--evaluation.samples", "10", "--device", "cpu"]
    assert run(["train", "digits", str(tmp_path / "run"), "--data", str(digits), *small]) == 0
    digits.rename(moved)
    capsys.readouterr()
    assert run(["evaluate", str(tmp_path / "run"), "--samples", "10"]) == 3
    said = capsys.readouterr().err
    assert f"{digits}: no such file or folder" in said
    assert "give --data PATH" in said
    assert run(["evaluate", str(tmp_path / "run"), "--samples", "10", "--json", "--data", str(moved)]) == 0
    assert run(["evaluate", str(tmp_path / "run"), "--data", str(digits)]) == 3
    assert "give --data PATH" not in capsys.readouterr().err
