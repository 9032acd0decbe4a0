"""What trackers are told of a run: hyper-parameters, curves, metrics and pictures, each once."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import ebgan
from ebgan.cli.main import run
from ebgan.errors import UsageError
from ebgan.experiment import Evaluation, Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.runs.tracking import Logger, tracked
from ebgan.runs.trainer import Silent
from ebgan.storage.runfolder import Record, RunFolder, read_records

EXPERIMENT = Experiment(
    nets=Nets(generator=MLPGenerator(width=8, noise=4), discriminator=MLPAutoencoder(width=8)),
    images=320,
    evaluation=Evaluation(samples=20, grid=4, pictures=128),
)
PICTURES = np.random.default_rng(0).integers(0, 256, (40, 4, 4), dtype=np.uint8)


class Told:
    """A logger that keeps what it is told."""

    def __init__(self) -> None:
        self.all: list[tuple[Any, ...]] = []

    def settings(self, settings: Any) -> None:
        self.all.append(("settings", dict(settings)))

    def scalars(self, scalars: Any, images: int) -> None:
        self.all.append(("scalars", dict(scalars), images))

    def picture(self, name: str, path: Path, images: int) -> None:
        assert path.read_bytes().startswith(b"\x89PNG")
        self.all.append(("picture", name, images))


class Heard(Silent):
    """Another observer beside it."""

    def __init__(self) -> None:
        self.records: list[int] = []

    def record(self, record: Record) -> None:
        self.records.append(record["images"])


def train(out: Path, tracker: Any, beside: Any = None, **changes: Any) -> None:
    with tracked(tracker, out, beside) as observer:
        experiment = ebgan.Experiment(**(vars(EXPERIMENT) | changes))
        ebgan.train(experiment, out, data=PICTURES, device="cpu", observer=observer)


def test_a_logger_of_one_s_own_is_told_of_everything_once(tmp_path):
    told, heard, folder = Told(), Heard(), RunFolder(tmp_path)
    assert isinstance(told, Logger)
    train(tmp_path, told, heard)
    kind, settings = told.all[0]
    assert kind == "settings"
    assert (settings["objective.type"], settings["objective.margin"]) == ("EBGAN", EXPERIMENT.objective.margin)
    assert settings["nets.generator.width"] == 8
    stats = read_records(folder.stats)
    scalars = [each for each in told.all if each[0] == "scalars" and "energy_real" in each[1]]
    assert [(values["energy_real"], images) for _, values, images in scalars] == [
        (record["energy_real"], record["images"]) for record in stats
    ]
    assert [images for kind, *_, images in told.all if kind == "picture"] == [images for images, _ in folder.grids()]
    assert heard.records == [record["images"] for record in stats]


def test_a_run_that_goes_on_does_not_tell_of_old_pictures_again(tmp_path):
    first, then = Told(), Told()
    train(tmp_path, first)
    train(tmp_path, then, images=448)
    of_first, of_then = ({each[2] for each in told.all if each[0] == "picture"} for told in (first, then))
    assert of_first
    assert of_then
    assert not of_first & of_then


def test_metrics_reach_the_logger(tmp_path):
    told = Told()
    with tracked(told, tmp_path) as observer:
        ebgan.train(EXPERIMENT, tmp_path, device="cpu", observer=observer)
    last = read_records(RunFolder(tmp_path).evaluations)[-1]
    found = [each for each in told.all if each[0] == "scalars" and "metrics/i_usual" in each[1]]
    assert found[-1][2] == last["images"] == 320
    assert found[-1][1]["metrics/i_usual"] == last["metrics"]["i_usual"]


def test_tracking_does_not_change_training(tmp_path):
    ebgan.train(EXPERIMENT, tmp_path / "alone", data=PICTURES, device="cpu")
    train(tmp_path / "tracked", Told())
    alone, other = (ebgan.load(tmp_path / each).state_dict() for each in ("alone", "tracked"))
    assert all((alone[name] == other[name]).all() for name in alone)


def test_tensorboard_s_event_file_holds_curves_pictures_and_settings(tmp_path, capsys):
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    small = ["--images", "320", "--nets.generator.width", "8", "--nets.discriminator.width", "8"]
    small += ["--evaluation.samples", "20", "--evaluation.pictures", "160", "--device", "cpu", "--quiet"]
    assert run(["train", "digits", str(tmp_path / "run"), *small, "--log", "tensorboard"]) == 0
    folder = RunFolder(tmp_path / "run")
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"), size_guidance={"images": 0, "scalars": 0})
    events.Reload()
    stats = read_records(folder.stats)
    found = events.Scalars("energy_real")
    assert [each.step for each in found] == [record["images"] for record in stats]
    assert np.allclose([each.value for each in found], [record["energy_real"] for record in stats])
    assert events.Scalars("metrics/i_usual")[-1].step == 320
    assert [each.step for each in events.Images("samples")] == [images for images, _ in folder.grids()]
    assert events.Images("samples")[0].encoded_image_string.startswith(b"\x89PNG")
    assert "objective.margin: 3.0" in events.Tensors("config/text_summary")[0].tensor_proto.string_val[0].decode()


class Calls:
    """A fake of a library: every call, in its order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, json.loads(json.dumps((args, kwargs), default=repr))))
            return SimpleNamespace(config=SimpleNamespace(update=call_settings))

        def call_settings(values: dict[str, Any]) -> None:
            self.calls.append(("config.update", values))

        return call


@pytest.mark.parametrize("library", ["wandb", "trackio"])
def test_wandb_and_trackio_are_called_alike(tmp_path, monkeypatch, library):
    fake = Calls()
    monkeypatch.setitem(sys.modules, library, fake)
    train(tmp_path / "mine", library)
    names = [name for name, _ in fake.calls]
    assert fake.calls[0] == ("init", [[], {"project": "ebgan", "name": "mine"}])
    assert names[1] == "config.update"
    assert fake.calls[1][1]["objective.type"] == "EBGAN"
    assert names[-1] == "finish"
    assert set(names[2:-1]) == {"log", "Image"}
    steps = [arguments[1]["step"] for name, arguments in fake.calls if name == "log"]
    assert steps == sorted(steps)  # of which wandb drops what comes too late


def test_mlflow_is_called_as_it_wants(tmp_path, monkeypatch):
    fake = Calls()
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    train(tmp_path / "mine", "mlflow")
    assert [name for name, _ in fake.calls[:3]] == ["set_experiment", "start_run", "log_params"]
    assert fake.calls[2][1][0][0]["objective.type"] == "EBGAN"
    assert {name for name, _ in fake.calls[3:-1]} == {"log_metrics", "log_image"}
    assert fake.calls[-1][0] == "end_run"


def test_a_tracker_is_closed_where_training_fails(tmp_path, monkeypatch):
    fake = Calls()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    with pytest.raises(RuntimeError, match="stop"), tracked("wandb", tmp_path):
        raise RuntimeError("stop")
    assert fake.calls[-1][0] == "finish"


def test_an_unknown_tracker_is_refused(tmp_path):
    with pytest.raises(UsageError, match="'visdom': no tracker: expected tensorboard, wandb, trackio, mlflow"):
        train(tmp_path, "visdom")


@pytest.mark.parametrize(
    ("tracker", "module", "mend"),
    [("tensorboard", "tensorboard", r"pip install 'ebgan\[tensorboard\]'"), ("wandb", "wandb", "pip install wandb")],
)
def test_a_missing_library_is_named_before_anything_is_written(tmp_path, monkeypatch, tracker, module, mend):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=mend):
        train(tmp_path / "run", tracker)
    assert not (tmp_path / "run").exists()


def test_records_are_rows_by_images_seen(tmp_path):
    for name in ("one", "two"):
        ebgan.train(EXPERIMENT, tmp_path / name, data=PICTURES, device="cpu")
    folder = RunFolder(tmp_path / "two")
    with folder.evaluations.open("a") as file:
        for images in (320, 999):
            file.write(json.dumps({"images": images, "metrics": {"i_usual": 2.0}}) + "\n")
    rows = ebgan.load(tmp_path / "two").records()
    assert rows == ebgan.run_records(tmp_path / "two")
    stats = read_records(folder.stats)
    assert [row["images"] for row in rows] == [*(record["images"] for record in stats), 999]
    assert rows[-1] == {"run": "two", "images": 999, "metrics/i_usual": 2.0}
    assert rows[-2] == {"run": "two"} | stats[-1] | {"metrics/i_usual": 2.0}
    both = ebgan.run_records(tmp_path)
    assert [row["run"] for row in both] == ["one"] * len(stats) + ["two"] * len(rows)
    with pytest.raises(UsageError, match="no run here"):
        ebgan.run_records(tmp_path / "one" / "samples")
