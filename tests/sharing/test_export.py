"""A run leaves its folder: whole, readable elsewhere, and without a word of where it came from."""

import hashlib
import json
import os
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import ebgan
from ebgan.cli.main import run
from ebgan.detection.of_run import kept
from ebgan.errors import CheckpointError, EbganError, UsageError
from ebgan.experiment import Evaluation, Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator

SMALL = Nets(generator=MLPGenerator(width=16, noise=4), discriminator=MLPAutoencoder(width=16))
PICTURES = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)


@pytest.fixture
def exported(trained: Path, tmp_path: Path) -> Path:
    assert run(["export", str(trained), str(tmp_path / "out"), "--license", "apache-2.0"]) == 0
    return tmp_path / "out"


def moved(folder: Path, to: Path) -> Path:
    """The same export elsewhere, with nothing left of where it was written."""
    return Path(shutil.move(folder, to))


def test_an_export_is_loaded_elsewhere_and_makes_the_same(trained, exported, tmp_path):
    before, after = ebgan.load(trained), ebgan.load(moved(exported, tmp_path / "else" / "where"))
    images = before.sample(5, seed=3)
    assert torch.equal(after.sample(5, seed=3), images)
    assert torch.equal(after.energy(images), before.energy(images))
    assert torch.equal(after.reconstruct(images), before.reconstruct(images))
    assert (after.seen, after.data, after.experiment) == (before.seen, before.data, before.experiment)
    assert after.seen == 256


def test_the_weights_are_a_plain_safetensors_file_of_both_nets_without_optimisers(trained, exported):
    with safe_open(exported / "model.safetensors", framework="pt") as file:
        names = set(file.keys())
    assert names == set(ebgan.load(trained).state_dict())
    assert {name.partition(".")[0] for name in names} == {"generator", "discriminator"}


def test_the_threshold_travels_with_it(trained, exported, tmp_path, capsys):
    for name in ("new", "more"):
        (tmp_path / name).mkdir()
        Image.fromarray(PICTURES[0]).save(tmp_path / name / "a.png")
    capsys.readouterr()
    told = []
    for folder in (trained, moved(exported, tmp_path / "elsewhere")):
        assert run(["score", str(folder), str(tmp_path / "new"), "--contamination", "0.1"]) == 0
        told.append(capsys.readouterr().out.replace(" (/home/somebody/good)", ""))
    assert told[0] == told[1]
    assert "threshold" in told[0]
    assert kept(ebgan.load(tmp_path / "elsewhere")).source == ""


def test_normal_energies_of_other_weights_are_left_behind(trained, tmp_path):
    folder = Path(shutil.copytree(trained, tmp_path / "run"))
    path = folder / "normal_energies.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model": "0" * 16}))
    files = ebgan.load(folder).save_pretrained(tmp_path / "out")
    assert [each.name for each in files] == ["config.json", "model.safetensors", "README.md", "samples.png"]


def test_the_card_has_a_header_of_the_hub_metrics_recipe_and_licence(exported):
    text = (exported / "README.md").read_text()
    header, _, body = text.removeprefix("---\n").partition("\n---\n")
    assert yaml.safe_load(header)["license"] == "apache-2.0"
    assert "![Samples](samples.png)" in body
    assert "Measured after 256 images seen" in body
    assert "FID, classifier's features" in body
    assert "What it is not for" in body
    recipe = body.partition("```yaml\n")[2].partition("```")[0]
    assert yaml.safe_load(recipe)["ema"] == 64
    assert Image.open(exported / "samples.png").size[0] > 100


def test_the_card_s_recipe_trains_again(exported, tmp_path):
    recipe = (exported / "README.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "config.yaml").write_text(recipe)
    assert run(["train", str(tmp_path / "config.yaml"), str(tmp_path / "again"), "--quiet", "--device", "cpu"]) == 0
    assert torch.equal(ebgan.load(tmp_path / "again").sample(3), ebgan.load(exported).sample(3))


def test_no_place_no_user_and_no_machine_is_named(of_secret_data, tmp_path):
    ebgan.load(of_secret_data).save_pretrained(tmp_path / "out")
    words = ["secret-place", "patients", str(Path.home()), str(tmp_path), socket.gethostname(), "/tmp", os.sep + "home"]
    for path in (tmp_path / "out").iterdir():
        content = path.read_bytes()
        assert [word for word in words if len(word) > 3 and word.encode() in content] == [], path.name
    again = ebgan.load(tmp_path / "out")
    assert again.experiment.data.source == "private-data"
    assert "a set of pictures that has no public name" in (tmp_path / "out" / "README.md").read_text()
    assert "set `data.source`" in (tmp_path / "out" / "README.md").read_text()


def test_a_run_on_an_array_does_not_claim_the_name_that_it_has_by_default(tmp_path):
    experiment = Experiment(nets=SMALL, images=64, evaluation=Evaluation(samples=20, grid=4))
    made = ebgan.train(experiment, tmp_path / "run", data=PICTURES, device="cpu")
    made.save_pretrained(tmp_path / "out")
    assert ebgan.load(tmp_path / "out").experiment.data.source == "private-data"
    assert "on digits" not in (tmp_path / "out" / "README.md").read_text()


def test_it_works_where_the_data_are_gone(transitions, tmp_path):
    made = ebgan.load(transitions)
    made.save_pretrained(tmp_path / "out")
    assert not (tmp_path / "out" / "samples.png").exists()  # they would start from private images
    away = Path(shutil.move(transitions.parent / "noise.npz", transitions.parent / "gone.npz"))
    try:
        source = PICTURES[:3, None]
        after = ebgan.load(tmp_path / "out")
        assert torch.equal(after.sample(3, source=source), made.sample(3, source=source))
        with pytest.raises(EbganError, match="samples start from images"):
            after.sample(3)
    finally:
        shutil.move(away, transitions.parent / "noise.npz")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--license", "Free for all!"], "expected an identifier in small letters"),
        (["--public"], "give --push"),
        (["--push", "nobody"], "expected OWNER/NAME"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(trained, tmp_path, capsys, argv, message):
    assert run(["export", str(trained), str(tmp_path / "out"), *argv]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_file_is_replaced(trained, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    assert run(["export", str(trained), str(tmp_path / "out")]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert run(["export", str(trained), str(tmp_path / "out" / "mine.txt")]) == 2
    assert "is no folder" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_disk_that_refuses_leaves_nothing_behind(trained, tmp_path, monkeypatch):
    def refuse(path: Path, *pieces: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ebgan.runs.sharing.export.write_atomically", refuse)
    with pytest.raises(OSError, match="No space"):
        ebgan.load(trained).save_pretrained(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_rounded_or_not_finite_are_not_given_away(trained, tmp_path):
    with pytest.raises(UsageError, match="load it in fp32"):
        ebgan.load(trained, precision="bf16").save_pretrained(tmp_path / "out")
    broken = ebgan.load(trained)
    next(broken.generator.parameters()).fill_(float("nan"))
    with pytest.raises(UsageError, match="not finite"):
        broken.save_pretrained(tmp_path / "out")


def test_every_flipped_byte_of_the_weights_is_noticed(exported):
    path = exported / "model.safetensors"
    content = bytearray(path.read_bytes())
    for place in np.random.default_rng(0).integers(0, len(content), 50):
        damaged = bytearray(content)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="SHA-256"):
            ebgan.load(exported)


def write_config(folder: Path, change: dict, weights: dict[str, torch.Tensor] | None = None) -> None:
    """The same export with other entries in config.json, and the hash of its weights."""
    if weights is not None:
        save_file(weights, folder / "model.safetensors")
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    found = json.loads((folder / "config.json").read_text())
    for path, value in ({"weights": digest} | change).items():
        *parents, name = path.split(".")
        inner = found
        for each in parents:
            inner = inner[each]
        inner[name] = value
    (folder / "config.json").write_text(json.dumps(found))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"experiment.data.source": "/etc/passwd"}, "names the file '/etc/passwd'"),
        ({"experiment.data.source": "../secret"}, "names the file"),
        ({"experiment.data.labels": "/etc/passwd"}, "names the file '/etc/passwd'"),
        ({"experiment.objective.type": "os:system"}, "type"),
        ({"format": 2}, "reads format 1"),
        ({"shape": [0, 8, 8]}, "at least 1"),
        ({"shape": [1, 10**9, 10**9]}, "images"),
        ({"surprise": 1}, "unknown"),
        ({"experiment.nets.generator.width": 17}, "generator"),
        ({"experiment.nets.generator.width": 10**12}, "images"),
    ],
)
def test_a_hostile_config_is_refused_by_name(exported, change, message):
    write_config(exported, change)
    with pytest.raises(EbganError, match=message):
        ebgan.load(exported)


def test_hostile_weights_are_refused_by_name(exported):
    tensors = load_file(exported / "model.safetensors")
    name = next(iter(tensors))
    write_config(exported, {}, {each: value for each, value in tensors.items() if each != name})
    with pytest.raises(CheckpointError, match="is missing"):
        ebgan.load(exported)
    write_config(exported, {}, tensors | {"optimiser.secret": torch.zeros(1)})
    with pytest.raises(CheckpointError, match=r"optimiser.secret is float32 \[1\]; config.json describes missing"):
        ebgan.load(exported)
    write_config(exported, {}, tensors | {name: torch.full_like(tensors[name], torch.inf)})
    with pytest.raises(CheckpointError, match="not finite"):
        ebgan.load(exported)


@pytest.mark.parametrize("content", [b"", b"null", b"[" * 10**5, b"\xff", b'{"a": 1', b"a: 1"])
def test_a_config_that_is_no_config_is_named(exported, content):
    (exported / "config.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"config\.json"):
        ebgan.load(exported)


def test_an_export_has_no_best_weights(exported):
    with pytest.raises(UsageError, match="leave --best out"):
        ebgan.load(exported, best=True)


def test_a_run_on_points_shows_its_landscape(tmp_path):
    assert (
        run(["train", "toy.ring.ebgan", str(tmp_path / "ring"), "--images", "128", "--quiet", "--device", "cpu"]) == 0
    )
    ebgan.load(tmp_path / "ring").save_pretrained(tmp_path / "out")
    assert (tmp_path / "out" / "samples.png").exists()
    assert torch.equal(ebgan.load(tmp_path / "out").sample(3), ebgan.load(tmp_path / "ring").sample(3))
