"""Runs whose nets are by class: trained, resumed, sampled class by class, and measured."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import ebgan
from ebgan.cli.main import run as command
from ebgan.data import Packed
from ebgan.errors import UsageError
from ebgan.experiment import Evaluation, Experiment
from ebgan.experiment.by_class import refuse_unnamed
from ebgan.recipes import find
from ebgan.runs.examiners import images
from ebgan.runs.examiners.images import Examiner, named_as_asked
from ebgan.runs.refinement import Rejection
from ebgan.runs.refinement.ratio import held_out
from ebgan.runs.run import Run
from ebgan.runs.walks import strip

IMAGES = 1280


def small(images: int = IMAGES) -> Experiment:
    made = find("digits.by_class").make()
    nets = replace(
        made.nets,
        generator=replace(made.nets.generator, net=replace(made.nets.generator.net, width=16, noise=6)),  # type: ignore[attr-defined]
        discriminator=replace(made.nets.discriminator, net=replace(made.nets.discriminator.net, width=16)),  # type: ignore[attr-defined]
    )
    return replace(made, nets=nets, images=images, checkpoint=640, evaluation=Evaluation(samples=100, grid=20))


@pytest.fixture(scope="module", autouse=True)
def no_classifier() -> Iterator[None]:
    """Runs train without a classifier of the data, which takes longer than they do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Examiner, "obstacle", property(lambda _: "this test needs none"))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("by class") / "run"
    ebgan.train(small(), out, device="cpu")
    return out


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return ebgan.load(folder, device="cpu")


def test_a_run_that_was_stopped_ends_with_the_same_weights(folder: Path, run: Run, tmp_path: Path) -> None:
    ebgan.train(small(640), tmp_path / "run", device="cpu")
    again = ebgan.train(small(), tmp_path / "run", device="cpu")
    for name, value in run.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    assert "generator.shifts.rows.weight" in run.state_dict()


def test_samples_are_of_the_classes_in_turn(run: Run) -> None:
    samples = run.sample(20, seed=3)
    for label, name in enumerate(run.data.classes):
        of_class = ebgan.of_class(run, name).sample(20, seed=3)
        torch.testing.assert_close(of_class[label::10], samples[label::10])
        others = [place for place in range(20) if place % 10 != label]
        assert (of_class[others] - samples[others]).flatten(1).norm(dim=1).min() > 0


def test_the_energy_without_a_class_is_the_least_of_all_classes(run: Run) -> None:
    samples = run.sample(30)
    each = torch.stack([ebgan.of_class(run, name).energy(samples) for name in run.data.classes])
    torch.testing.assert_close(run.energy(samples), each.min(0).values)
    assert not torch.equal(each[0], each[1])


def test_the_run_of_one_class_has_ways_and_refined_samples(run: Run) -> None:
    three = ebgan.of_class(run, "3")
    assert strip(three, three.noise(3)).size[1] > 3 * 8
    assert three.sample(8, refine=Rejection(budget=2)).shape == (8, 1, 8, 8)
    data = run.experiment.data.open()
    threes = {image.tobytes() for image, label in zip(data.images, data.labels, strict=True) if label == 3}
    assert len(held_out(three, 2000)) == sum(label == 3 for label in data.labels)
    assert {np.uint8(image).tobytes() for image in ((held_out(three, 50) + 1) * 127.5).round().numpy()} <= threes


def test_what_needs_a_class_says_so(run: Run) -> None:
    with pytest.raises(UsageError, match=r"needs a class for each sample: take ebgan.of_class\(run, NAME\)"):
        run.generate(run.noise(3))
    with pytest.raises(UsageError, match=r"refine: .* has an energy for each class: take ebgan.of_class"):
        run.sample(3, refine=Rejection())
    with pytest.raises(UsageError, match=r"class horse: .* has none of that name; it has 0, 1, 2"):
        ebgan.of_class(run, "horse")
    with pytest.raises(UsageError, match=r"class 3: .* makes no samples by class"):
        ebgan.of_class(ebgan.of_class(run, "3"), "3")


def test_the_share_of_samples_that_are_named_as_asked_is_a_metric(run: Run) -> None:
    labels = torch.arange(20) % 10
    right = torch.nn.functional.one_hot(labels, 10).float()
    right[:5] = right[:5].roll(1, 1)
    assert named_as_asked(run, right) == {"named_as_asked": 0.75}
    assert named_as_asked(ebgan.of_class(run, "3"), right) == {}


def test_an_evaluation_has_that_share(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = torch.nn.functional.one_hot(torch.arange(50) % 10, 10).float()
    classifier = SimpleNamespace(probabilities=lambda _: asked)
    monkeypatch.setattr(Examiner, "_measures", lambda _: (classifier, None))
    monkeypatch.setattr(Examiner, "_record", lambda *_: {"metrics": {"i_usual": 2.0}})
    monkeypatch.setattr(images, "evaluate", lambda *_: None)
    found = Examiner(run, run.experiment.data.open(), 50).measure()
    assert found["metrics"] == {"i_usual": 2.0, "named_as_asked": 1.0}


def test_images_of_no_known_class_are_refused() -> None:
    unnamed = Packed(np.zeros((3, 1, 8, 8), np.uint8), np.array([0, 1, -1]), ("a", "b"), "mine")
    with pytest.raises(UsageError, match="mine: the class of some images is not known, and ClassConditional needs"):
        refuse_unnamed(small(), unnamed)
    refuse_unnamed(find("digits").make(), unnamed)


def test_samples_of_a_class_are_drawn_by_its_name(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    one, other = tmp_path / "3.png", tmp_path / "4.png"
    for name, path in (("3", one), ("4", other)):
        assert command(["sample", str(folder), "--class", name, "--count", "4", "--grid", str(path)]) == 0
    assert one.read_bytes() != other.read_bytes()
    assert command(["sample", str(folder), "--class", "horse"]) == 2
    assert "class horse" in capsys.readouterr().err
