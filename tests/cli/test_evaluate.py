"""The neighbours of samples by the command line."""

import json

from PIL import Image

from ebgan.cli.main import run


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
    assert "a point is no picture" in capsys.readouterr().err
