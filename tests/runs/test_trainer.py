"""`ebgan.train` from Python: any images in, a run folder and a run out, and the same call again goes on."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import ebgan
from ebgan.data import from_array, open_packed, write_packed
from ebgan.errors import CheckpointError, DataError, DivergedError, StorageError
from ebgan.experiment import Data, Evaluation, Experiment, Nets, Optimisers, read_experiment
from ebgan.metrics import TrainedClassifier
from ebgan.nets.classifier import ConvClassifier
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import EBGAN
from ebgan.report import write_report
from ebgan.runs import looks, trainer
from ebgan.runs.examiners import images as examiner
from ebgan.runs.looks import examiner_of
from ebgan.storage.runfolder import RunFolder, read_records
from ebgan.training.checkpoint import newest, read
from ebgan.training.optim import SGD, Adam

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 6, 6), dtype=np.uint8)
EXPERIMENT = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=3, width=8, noise=4, std=0.3),
        discriminator=MLPAutoencoder(depth=2, width=8, std=0.3),
    ),
    objective=EBGAN(margin=4.0, pulling_away=0.1),
    optimisers=Optimisers(discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2)),
    images=100,
    batch=10,
    evaluation=Evaluation(samples=8, grid=4, every=30),
)


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "write_report", lambda folder: None)


def train(out: Path, experiment: Experiment = EXPERIMENT, data: object = IMAGES) -> ebgan.Run:
    return ebgan.train(experiment, out, data=data, device="cpu")


def weights(run: ebgan.Run) -> list[torch.Tensor]:
    return [*run.generator.state_dict().values(), *run.discriminator.state_dict().values()]


def same(one: ebgan.Run, other: ebgan.Run) -> bool:
    return all(torch.equal(x, y) for x, y in zip(weights(one), weights(other), strict=True))


@pytest.mark.parametrize(
    "given",
    [
        lambda images, folder: images[:, None],
        lambda images, folder: images[..., None],
        lambda images, folder: torch.from_numpy(images),
        lambda images, folder: saved(images, folder / "images.npz"),
        lambda images, folder: str(saved(images, folder / "images.npz")),
    ],
    ids=["[N, C, H, W]", "[N, H, W, C]", "a tensor", "a path", "a path in words"],
)
def test_images_in_any_form_train_the_same_run(tmp_path: Path, no_report: None, given: Callable) -> None:
    assert same(train(tmp_path / "one"), train(tmp_path / "other", data=given(IMAGES, tmp_path)))


def test_a_path_given_as_data_stands_in_the_config(tmp_path: Path, no_report: None) -> None:
    path = saved(IMAGES, tmp_path / "images.npz")
    train(tmp_path / "run", data=path)
    assert read_experiment(tmp_path / "run" / "config.yaml").data.source == str(path.resolve())


def test_a_run_that_diverges_says_so_in_its_folder(tmp_path: Path) -> None:
    wild = replace(EXPERIMENT, optimisers=Optimisers(discriminator=SGD(lr=1e30), generator=SGD(lr=1e30)))
    with pytest.raises(DivergedError):
        train(tmp_path / "run", wild)
    folder = RunFolder(tmp_path / "run")
    assert [record["alarm"] for record in read_records(folder.alarms)] == ["divergence"]
    assert "divergence" in folder.report.read_text().lower()


def saved(images: np.ndarray, path: Path) -> Path:
    np.savez(path, images=images)
    return path


def test_a_run_holds_all_that_it_is_said_to(tmp_path: Path) -> None:
    train(tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    assert read_experiment(folder.config) == replace(EXPERIMENT, precision="fp32")
    assert [record["images"] for record in read_records(folder.stats)] == list(range(10, 101, 10))
    assert [images for images, _ in folder.grids()] == list(range(10, 101, 10))
    assert folder.real.is_file()
    assert sorted(path.name for path in folder.checkpoints.iterdir()) == ["000000000090.ckpt", "000000000100.ckpt"]
    assert "<html" in folder.report.read_text()


def test_the_run_that_comes_back_is_the_one_that_is_loaded(tmp_path: Path, no_report: None) -> None:
    run, loaded = train(tmp_path / "run"), ebgan.load(tmp_path / "run", device="cpu")
    assert same(run, loaded)
    assert torch.equal(run.sample(5, seed=3), loaded.sample(5, seed=3))


def test_samples_are_of_the_average_where_one_is_kept(tmp_path: Path, no_report: None) -> None:
    averaged = train(tmp_path / "run", replace(EXPERIMENT, ema=30))
    found = newest(tmp_path / "run" / "checkpoints")
    assert found is not None
    tensors = found[0].tensors
    for name, value in averaged.generator.state_dict().items():
        assert torch.equal(value, tensors[f"average.{name}"])
    assert not torch.equal(tensors["average.output.weight"], tensors["generator.output.weight"])


def test_a_run_that_is_done_is_left_as_it_is(tmp_path: Path, no_report: None) -> None:
    run = train(tmp_path / "run")
    before = {path: path.read_bytes() for path in (tmp_path / "run" / "checkpoints").iterdir()}
    assert same(run, train(tmp_path / "run"))
    assert {path: path.read_bytes() for path in (tmp_path / "run" / "checkpoints").iterdir()} == before


def test_images_are_padded_as_the_experiment_says(tmp_path: Path, no_report: None) -> None:
    run = train(tmp_path / "run", replace(EXPERIMENT, data=Data(padding=2)))
    assert run.sample(2).shape == (2, 1, 10, 10)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    np.savez(tmp_path / "labelled.npz", images=IMAGES, labels=np.arange(40) % 2)
    return tmp_path / "labelled.npz"


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Evaluations by a net that has learned nothing, whose scores are given one after the other."""
    measured = {name: getattr(examiner, name) for name in ("evaluate", "evaluate_quickly")}
    classifier = TrainedClassifier(ConvClassifier(1, 2).eval().requires_grad_(False), 0.5, "none")

    def score(*scores: float | type[KeyboardInterrupt]) -> None:
        left = iter(scores)

        def evaluate(name: str, *arguments: object) -> object:
            found = measured[name](*arguments)
            value = next(left)
            if value is KeyboardInterrupt:
                raise KeyboardInterrupt
            return replace(found, metrics=found.metrics | {"i_usual": value})

        monkeypatch.setattr(examiner, "digit_classifier", lambda *images, **options: classifier)
        for name in measured:
            monkeypatch.setattr(examiner, name, partial(evaluate, name))

    return score


def test_labelled_images_are_evaluated_and_the_best_weights_are_kept(
    tmp_path: Path, no_report: None, labelled: Path, scored: Callable[..., None]
) -> None:
    scored(1.0, 3.0, 2.0, 2.5)
    train(tmp_path / "run", data=labelled)
    folder = RunFolder(tmp_path / "run")
    assert [record["images"] for record in read_records(folder.evaluations)] == [30, 60, 90, 100]
    assert read(folder.checkpoints / "best.ckpt").images == 60
    last, best = ebgan.load(tmp_path / "run", device="cpu"), ebgan.load(tmp_path / "run", best=True, device="cpu")
    assert not same(last, best)


def test_a_classifier_that_guesses_gives_no_metrics_and_no_alarm_and_it_is_said_once(
    tmp_path: Path, no_report: None, labelled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guesses = TrainedClassifier(ConvClassifier(1, 2).eval(), 0.31, "300 images", chance=0.3, tests=300)
    monkeypatch.setattr(examiner, "digit_classifier", lambda *images, **options: guesses)
    heard: list[str] = []
    observer = SimpleNamespace(record=lambda record: None, notice=heard.append)
    run = ebgan.train(EXPERIMENT, tmp_path / "run", data=labelled, device="cpu", observer=observer)
    assert read_records(run.folder.evaluations) == read_records(run.folder.alarms) == []
    why = "a classifier of these classes is no better than chance: its accuracy on 300 images is 31.0%"
    assert sum(why in text and "samples have no metrics" in text for text in heard) == 1
    with pytest.raises(DataError, match="no better than chance"):
        examiner.Examiner(run, run.reopened(), 8).measure()


QUICK = {"i_usual", "i_usual_real", "i_swapped", "classes_covered", "largest_class", "largest_class_real"}
SELDOM = replace(EXPERIMENT, evaluation=replace(EXPERIMENT.evaluation, every=None))


@pytest.mark.parametrize("best", [2, 9])  # which of ten evaluations, the last of which is that of the end
def test_the_last_and_the_best_weights_alone_get_all_metrics(
    best: int, tmp_path: Path, no_report: None, labelled: Path, scored: Callable[..., None]
) -> None:
    scored(*(2.0 if each == best else 1.0 for each in range(10)), 2.0)
    train(tmp_path / "run", SELDOM, data=labelled)
    records = read_records(RunFolder(tmp_path / "run").evaluations)
    assert [record["images"] for record in records] == list(range(10, 110, 10))
    assert read(tmp_path / "run" / "checkpoints" / "best.ckpt").images == 10 * (best + 1)
    for place, record in enumerate(records):
        metrics = set(record["metrics"])
        assert metrics > QUICK if place in (best, 9) else metrics == QUICK
    before = (tmp_path / "run" / "evaluations.jsonl").read_bytes()
    train(tmp_path / "run", SELDOM, data=labelled)  # again, with nothing left to do
    assert (tmp_path / "run" / "evaluations.jsonl").read_bytes() == before


def test_the_metrics_of_the_best_weights_are_those_that_evaluate_gives(
    tmp_path: Path, no_report: None, labelled: Path, scored: Callable[..., None]
) -> None:
    scored(1.0, 3.0, *[1.0] * 8, 3.0)
    train(tmp_path / "run", SELDOM, data=labelled)
    best = ebgan.load(tmp_path / "run", best=True, device="cpu")
    scored(3.0)
    expected = examiner_of(best, best.reopened(), SELDOM.evaluation.samples).measure()
    assert read_records(best.folder.evaluations)[1] == {"images": 20} | expected


def test_best_weights_that_cannot_be_read_are_told_of_and_do_no_harm(
    tmp_path: Path, no_report: None, labelled: Path, scored: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Heard(trainer.Silent):
        def notice(self, text: str) -> None:
            notices.append(text)

    def damaged(path: Path) -> None:
        raise CheckpointError(f"{path}: its sum does not agree")

    notices: list[str] = []
    scored(1.0, 3.0, *[1.0] * 8)
    monkeypatch.setattr(looks, "read", damaged)
    ebgan.train(SELDOM, tmp_path / "run", data=labelled, device="cpu", observer=Heard())
    assert any(text.startswith("the best weights are not measured: ") for text in notices)
    assert set(read_records(tmp_path / "run" / "evaluations.jsonl")[-1]["metrics"]) > QUICK


def test_a_run_that_is_stopped_has_quick_metrics_alone_and_goes_on_to_all(
    tmp_path: Path, no_report: None, labelled: Path, scored: Callable[..., None]
) -> None:
    scored(*[1.0] * 8, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", SELDOM, data=labelled)
    evaluations = tmp_path / "run" / "evaluations.jsonl"
    assert all(set(record["metrics"]) == QUICK for record in read_records(evaluations))
    write_report(RunFolder(tmp_path / "run"))
    scored(*[1.0] * 3)
    train(tmp_path / "run", SELDOM, data=labelled)
    assert [set(record["metrics"]) > QUICK for record in read_records(evaluations)] == [True, *[False] * 8, True]


def test_the_best_score_is_remembered_by_a_run_that_goes_on(
    tmp_path: Path, no_report: None, labelled: Path, scored: Callable[..., None]
) -> None:
    scored(3.0, 2.0, 1.0, 2.0)
    train(tmp_path / "run", data=labelled)
    (tmp_path / "run" / "checkpoints" / "000000000100.ckpt").unlink()
    scored(2.9)
    train(tmp_path / "run", data=labelled)
    assert read(tmp_path / "run" / "checkpoints" / "best.ckpt").images == 30


def test_a_run_that_diverges_still_leaves_a_report(tmp_path: Path) -> None:
    wild = Optimisers(discriminator=SGD(lr=1e30), generator=SGD(lr=1e30))
    with pytest.raises(DivergedError):
        train(tmp_path / "run", replace(EXPERIMENT, optimisers=wild))
    assert (tmp_path / "run" / "report.html").is_file()


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match=r"file/run"):
        train(tmp_path / "file" / "run")


@pytest.mark.parametrize("images", [IMAGES.astype(np.float32), IMAGES[0], IMAGES[:0]])
def test_images_of_another_kind_are_refused_before_anything_is_written(tmp_path: Path, images: np.ndarray) -> None:
    with pytest.raises(DataError):
        train(tmp_path / "run", data=images)
    assert not (tmp_path / "run").exists()


def test_the_classifier_of_a_mapped_set_reads_it_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    write_packed(tmp_path / "set", from_array(IMAGES, np.arange(40) % 2))
    data = open_packed(tmp_path / "set")
    places: list[int] = []

    def learned(images: torch.Tensor, *_: object, **__: object) -> None:
        places.append(images.data_ptr())

    monkeypatch.setattr(examiner, "digit_classifier", learned)
    examiner.classifier_of(data, Data(), torch.device("cpu"))
    assert places == [data.images.ctypes.data]
    assert not recwarn.list
