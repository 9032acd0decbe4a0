"""Which images are told, which are tested on, and what a run that learns classes says of itself."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

import ebgan
from ebgan.data import UNKNOWN, Packed, open_data
from ebgan.energies import AutoencoderEnergy
from ebgan.errors import DataError, UsageError
from ebgan.experiment import Data, Evaluation, Experiment, Labelled, Nets, Optimisers
from ebgan.experiment.building import build
from ebgan.experiment.labelled import LabelledSplit, split, told
from ebgan.experiment.sources import with_labels
from ebgan.nets.class_head import ClassHead
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import BEGAN, EBGAN, SemiSupervised
from ebgan.randomness import Randomness
from ebgan.runs.examiners.classes import ClassExaminer
from ebgan.runs.examiners.images import Examiner
from ebgan.runs.run import Run
from ebgan.runs.trainer import Silent
from ebgan.storage.runfolder import read_records
from ebgan.sweeps.training import run_trials
from ebgan.training.game import Turns
from ebgan.training.optim import Adam

GENERATOR = MLPGenerator(depth=2, width=8, noise=4)
LADDER = Experiment(
    data=Data(source="digits", limits=(0.0, 1.0)),
    labelled=Labelled(count=50, batch=50),
    nets=Nets(generator=GENERATOR, discriminator=Ladder(widths=(60, 40))),
    energy=AutoencoderEnergy(unit="sse"),
    objective=SemiSupervised(inner=EBGAN(), weight=2.0),
    optimisers=Optimisers(discriminator=Adam(lr=5e-3), generator=Adam(lr=5e-3)),
    turns=Turns(generator=0),
    images=30_000,
    batch=100,
    evaluation=Evaluation(grid=4, every=30_000, pictures=30_000),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ebgan.train(LADDER, tmp_path_factory.mktemp("ladder") / "run", device="cpu")


def test_few_labels_and_many_images_name_most_digits(run: Run) -> None:
    (evaluation,) = read_records(run.folder.evaluations)
    metrics = evaluation["metrics"]
    assert metrics["test_error"] < 0.15
    assert 0.05 < metrics["test_error_svm"] < 0.4
    assert 0.05 < metrics["test_error_mlp"] < 0.4
    assert evaluation["protocol"]["labelled images"] == 50


def test_a_head_on_began_learns_classes_too(tmp_path: Path) -> None:
    headed = replace(
        LADDER,
        nets=Nets(generator=GENERATOR, discriminator=ClassHead(net=MLPAutoencoder(depth=3, width=64, std=0.1))),
        energy=AutoencoderEnergy(unit="l1"),
        objective=SemiSupervised(inner=BEGAN(), weight=10.0),
        turns=Turns(),
        images=10_000,
        evaluation=Evaluation(grid=4, every=10_000, pictures=10_000),
    )
    run = ebgan.train(headed, tmp_path, device="cpu")
    (evaluation,) = read_records(run.folder.evaluations)
    assert evaluation["metrics"]["test_error"] < 0.35
    assert read_records(run.folder.stats)[-1]["energy_real"] < 0.15
    images = torch.tensor(open_data("digits").images[:7]) / 127.5 - 1
    assert torch.equal(ebgan.load(tmp_path, device="cpu").classify(images), run.classify(images))


def test_the_confusion_matrix_is_that_of_the_runs_own_classes(run: Run) -> None:
    (evaluation,) = read_records(run.folder.evaluations)
    confusion = torch.tensor(evaluation["classification"]["confusion"])
    data = open_data("digits")
    rest = split(LADDER, data, Randomness.of(LADDER.seed)).tested
    named = run.classify(torch.tensor(rest.images) / 127.5 - 1).argmax(-1)
    assert confusion.sum() == len(rest) == 1797 - 50
    right = (named == torch.tensor(rest.labels)).sum()
    assert confusion.trace() == right
    assert evaluation["metrics"]["test_error"] == pytest.approx(1 - int(right) / len(rest))


def test_a_loaded_run_names_what_the_trained_one_named_and_the_probabilities_add_up(run: Run) -> None:
    images = torch.tensor(open_data("digits").images[:7]) / 127.5 - 1
    chances = run.classify(images)
    assert chances.shape == (7, 10)
    torch.testing.assert_close(chances.sum(-1), torch.ones(7))
    assert torch.equal(ebgan.load(run.folder.path, device="cpu").classify(images), chances)
    assert run.reconstruct(images).shape == images.shape


def test_the_report_shows_the_confusion_matrix_and_the_baselines(run: Run) -> None:
    page = run.folder.report.read_text("utf-8")
    for said in ("Test error", "Precision", ">taken for</th>", ">9</th>", "labelled images alone", "50"):
        assert said in page
    assert "The generator has no turn in this run, which makes no samples." in page
    assert "No samples yet." not in page


def test_no_image_is_told_and_tested_on() -> None:
    data = open_data("digits")
    found = split(LADDER, data, Randomness.of(3))
    assert found.labelled.shape == (50,)
    assert len(told(data, found.labelled)) == 50
    assert len(found.tested) == 1747
    whole = split(replace(LADDER, labelled=Labelled(count=None, held_out=0.25)), data, Randomness.of(3))
    assert (len(whole.labelled), len(whole.tested)) == (1347, 450)  # three quarters of each class
    assert "whose labels were not used" in whole.source


def test_of_each_class_an_image_is_told_and_a_share_is_tested_on() -> None:
    labels = np.array([0] * 20 + [1] * 2 + [2])
    data = Packed(np.zeros((23, 1, 8, 8), np.uint8), labels, ("a", "b", "c"))
    for seed in range(20):
        found = split(replace(LADDER, labelled=Labelled(count=None, held_out=0.4)), data, Randomness.of(seed))
        assert np.bincount(told(data, found.labelled).labels).tolist() == [12, 1, 1]
        assert np.bincount(found.tested.labels, minlength=3).tolist() == [8, 1, 0]


def test_the_test_set_is_taken_where_there_is_one(data_folder: Path) -> None:
    experiment = replace(LADDER, data=Data(source=str(data_folder / "mnist"), limits=(0.0, 1.0)))
    data = Packed(np.zeros((40, 1, 28, 28), np.uint8), np.arange(40) % 10, tuple("0123456789"))
    found = split(replace(experiment, labelled=Labelled(count=10)), data, Randomness.of(0))
    assert found.source == "10,000 images of the test set"


def pictures(folder: Path, **counts: int) -> Path:
    """Grey pictures, so many of each class `split_name`; those of each class have a shade of their own."""
    shades = {name: 40 * place for place, name in enumerate(sorted({each.partition("_")[2] for each in counts}))}
    for each, count in counts.items():
        part, _, name = each.partition("_")
        (folder / part / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.full((8, 8), shades[name] + number, np.uint8)
            Image.fromarray(pixels).save(folder / part / name / f"{number}.png")
    return folder


def found_split(folder: Path) -> LabelledSplit:
    source = Data(source=str(folder), size=8, limits=(0.0, 1.0))
    experiment = replace(LADDER, data=source, labelled=Labelled(count=6, batch=6))
    return split(experiment, source.open(), Randomness.of(0))


def test_a_test_set_that_lacks_a_class_still_tests_the_others(tmp_path: Path) -> None:
    found = found_split(pictures(tmp_path, train_ant=4, train_bee=4, train_cat=4, test_cat=2, test_bee=3))
    assert found.source == "5 images of the test set; there are no images of ant"
    assert found.tested.classes == ("ant", "bee", "cat")
    assert found.tested.labels.tolist() == [1, 1, 1, 2, 2]


def test_images_of_a_class_that_the_data_lacks_are_left_out_of_the_test_and_counted(tmp_path: Path) -> None:
    found = found_split(pictures(tmp_path, train_ant=4, train_cat=4, test_cat=2, test_bee=3, test_ant=1))
    assert found.source == "3 images of the test set; left out bee (3), which are not classes of the data"
    assert found.tested.labels.tolist() == [0, 1, 1]
    assert [name.partition("/")[0] for name in found.tested.names] == ["ant", "cat", "cat"]


def test_a_test_set_without_a_class_of_the_data_serves_for_none_and_that_is_said(tmp_path: Path) -> None:
    found = found_split(pictures(tmp_path, train_ant=5, train_cat=5, test_dog=2, test_fox=1))
    assert found.source.startswith("4 images of the data whose labels were not used, as the test set cannot be used: ")
    assert "left out dog (2), fox (1), which are not classes of the data" in found.source


def test_grey_training_pictures_are_tested_on_colour_as_grey(tmp_path: Path) -> None:
    folder = pictures(tmp_path, train_ant=4, train_cat=4, test_ant=2, test_cat=2)
    Image.new("RGB", (8, 8), (200, 10, 10)).save(folder / "test" / "ant" / "0.png")
    assert found_split(folder).tested.shape == (1, 8, 8)


def test_a_run_says_on_which_images_its_error_is_measured(tmp_path: Path) -> None:
    class Notes(Silent):
        said: ClassVar[list[str]] = []

        def notice(self, text: str) -> None:
            self.said.append(text)

    folder = pictures(tmp_path / "set", Train_ant=6, Train_bee=6, Train_cat=6, Test_cat=2, Test_bee=3)
    data = Data(source=str(folder), size=8, limits=(0.0, 1.0))
    small = replace(LADDER, data=data, labelled=Labelled(count=6, batch=6), images=60, batch=6)
    run = ebgan.train(small, tmp_path / "run", device="cpu", observer=Notes())
    assert "the error is measured on 5 images of the test set; there are no images of ant" in Notes.said
    assert any("18 images of 3 classes; classes by their folders (ant, bee, cat)" in text for text in Notes.said)
    assert "5 images of the test set; there are no images of ant" in run.folder.report.read_text()


def test_a_damaged_test_set_is_named_and_not_passed_over(tmp_path: Path) -> None:
    for number in range(1, 6):
        (tmp_path / f"data_batch_{number}.bin").write_bytes(bytes(1 + 3 * 32 * 32))
    (tmp_path / "test_batch.bin").write_bytes(b"torn")
    source = Data(source=str(tmp_path))
    assert len(source.open()) == 5
    with pytest.raises(DataError, match=r"test_batch\.bin: 4 bytes are not a whole number of records"):
        source.open_test()
    np.savez(tmp_path / "train.npz", images=np.zeros((4, 8, 8), np.uint8))
    assert Data(source=str(tmp_path / "train.npz")).open_test() is None


def test_a_run_with_nothing_left_to_test_on_is_refused() -> None:
    experiment = replace(LADDER, labelled=Labelled(count=None, held_out=0.0))
    with pytest.raises(DataError, match=r"no image with a label is left .* raise labelled\.held_out"):
        split(experiment, open_data("digits"), Randomness.of(0))


def test_a_net_that_tells_no_classes_apart_is_refused_with_the_mend() -> None:
    experiment = replace(LADDER, nets=Nets(generator=GENERATOR, discriminator=MLPAutoencoder(width=8)))
    with pytest.raises(UsageError, match=r"SemiSupervised needs classes, and nets\.discriminator .* use the Ladder"):
        build(experiment, (1, 8, 8), classes=10)


def test_a_run_without_classes_names_none(tmp_path: Path) -> None:
    plain = replace(
        LADDER, objective=EBGAN(), nets=Nets(generator=GENERATOR, discriminator=MLPAutoencoder(width=8)), images=100
    )
    run = ebgan.train(plain, tmp_path, data=np.zeros((20, 8, 8), np.uint8), device="cpu")
    with pytest.raises(UsageError, match="has no classifier"):
        run.classify(torch.zeros(1, 1, 8, 8))


def test_samples_of_a_set_that_is_labelled_in_part_are_not_measured_by_a_classifier(run: Run) -> None:
    images = np.zeros((6, 1, 8, 8), np.uint8)
    data = Packed(images, np.array([0, 1, UNKNOWN, 0, 1, 0]), ("a", "b"))
    assert not Examiner(run, data, 4).measurable
    full = Packed(images, np.array([0, 1, 1, 0, 1, 0]), ("a", "b"))
    assert Examiner(run, full, 4).obstacle is None
    for images_, labels, why in (
        (images[:5], np.array([0, 1, 1, 0, 1]), "at least 6"),
        (images, np.ones(6, np.int64), "of one class"),
        (images[..., :3], full.labels, "too small"),
    ):
        assert why in (Examiner(run, Packed(images_, labels, ("a", "b")), 4).obstacle or "")


def test_other_data_than_the_runs_own_is_refused(run: Run) -> None:
    other = Packed(np.zeros((60, 1, 8, 8), np.uint8), np.arange(60) % 10, tuple("0123456789"))
    with pytest.raises(DataError, match="not the data that the run was trained on"):
        ClassExaminer(run, other).measure()


def test_the_best_weights_are_the_last_since_the_test_error_is_not_to_be_chosen_by(run: Run) -> None:
    examiner = ClassExaminer(run, open_data("digits"))
    assert examiner.score({"images": 20, "metrics": {"test_error": 0.5}}) > examiner.score(
        {"images": 10, "metrics": {"test_error": 0.1}}
    )


def test_labels_of_a_file_come_with_the_data(tmp_path: Path) -> None:
    assert with_labels(LADDER, tmp_path / "labels.csv").data.labels == str(tmp_path / "labels.csv")


def test_where_every_class_is_told_a_trial_is_judged_by_the_test_set(tmp_path: Path) -> None:
    digits = open_data("digits")
    arrays = {"train_images": digits.images[:300], "train_labels": digits.labels[:300]}
    np.savez(tmp_path / "set.npz", **arrays, test_images=digits.images[300:400], test_labels=digits.labels[300:400])
    data = replace(LADDER.data, source=str(tmp_path / "set.npz"))
    made = replace(LADDER, data=data, labelled=Labelled(count=None, batch=50), images=1000)
    (result,) = run_trials([made])
    assert result.status == "done"
    assert "validation_error" not in result.metrics
    assert result.score == pytest.approx(1 - result.metrics["test_error"])
