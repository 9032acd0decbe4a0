"""What a run leaves to the data: found once, said, written in config.yaml, and kept by a run that goes on."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan import train
from ebgan.cli.main import run
from ebgan.energies import LogisticEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Evaluation, Experiment, Labelled, Nets, read_experiment
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPGenerator
from ebgan.objectives import EBGAN, MAGAN, Objective, SemiSupervised
from ebgan.recipes import find
from ebgan.storage.runfolder import Record

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)


class Hearing:
    """An observer that remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def record(self, record: Record) -> None: ...

    def notice(self, text: str) -> None:
        self.said.append(text)


def small(objective: Objective, **fields: object) -> Experiment:
    nets = Nets(generator=MLPGenerator(depth=2, width=8), discriminator=MLPAutoencoder(depth=2, width=32))
    return Experiment(nets=nets, objective=objective, batch=8, evaluation=Evaluation(grid=4), **fields)


def test_a_margin_that_is_not_given_is_calibrated_once_and_said(tmp_path: Path) -> None:
    made, first, again = small(EBGAN(margin=None), images=800), Hearing(), Hearing()
    train(made, tmp_path, data=IMAGES, device="cpu", observer=first)
    objective = read_experiment(tmp_path / "config.yaml").objective
    assert first.said[0] == ("objective.margin is not given: training the auto-encoder alone on 800 images to find one")
    reached, mean = re.search(
        r"halfway between ([\d.]+), .* reached, and ([\d.]+), that of the mean", first.said[1]
    ).groups()
    assert objective.margin == pytest.approx((float(reached) + float(mean)) / 2, rel=0.05)
    assert first.said[1].startswith(f"objective.margin={objective.margin:g}: ")
    train(made, tmp_path, data=IMAGES, device="cpu", observer=again)
    assert [text for text in again.said if "margin" in text] == []
    assert "going on from 800 images seen" in again.said


def test_a_margin_of_an_auto_encoder_that_learned_nothing_is_said_to_be_a_guess(tmp_path: Path) -> None:
    said = Hearing()
    train(small(EBGAN(margin=None), images=8), tmp_path, data=IMAGES, device="cpu", observer=said)
    assert "learned no more than that, so this margin is a guess" in said.said[1]


def test_a_run_that_goes_on_keeps_the_margin_that_it_has(tmp_path: Path) -> None:
    train(small(EBGAN(margin=7.0), images=80), tmp_path, data=IMAGES, device="cpu")
    train(small(EBGAN(margin=None), images=80), tmp_path, data=IMAGES, device="cpu")
    assert read_experiment(tmp_path / "config.yaml").objective == EBGAN(margin=7.0)


def test_an_epoch_that_is_not_given_is_the_data_and_pretraining_two_of_them(tmp_path: Path) -> None:
    made = small(MAGAN(), images=160, pretraining=None)
    train(made, tmp_path, data=IMAGES, device="cpu")
    trained = read_experiment(tmp_path / "config.yaml")
    assert (trained.objective, trained.pretraining) == (MAGAN(epoch=40), 80)
    given = dataclasses.replace(made, pretraining=16, objective=MAGAN(epoch=20), precision="fp32")
    train(given, tmp_path / "given", data=IMAGES, device="cpu")
    assert read_experiment(tmp_path / "given" / "config.yaml") == given


def test_a_margin_of_what_has_none_cannot_be_calibrated(tmp_path: Path) -> None:
    made = small(EBGAN(margin=None), images=80)
    nets = dataclasses.replace(made.nets, discriminator=MLPDiscriminator(depth=2, width=8))
    with pytest.raises(UsageError, match="LogisticEnergy has no margin"):
        train(dataclasses.replace(made, nets=nets, energy=LogisticEnergy()), tmp_path, data=IMAGES, device="cpu")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_pictures_trains_at_a_size_without_a_margin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos").mkdir()
    for place, image in enumerate(IMAGES[:8]):
        Image.fromarray(image).resize((20, 24)).save(tmp_path / "photos" / f"{place}.png")
    narrow = ["--nets.generator.width", "2", "--nets.discriminator.encoder", "(4)4c2s", "--evaluation.grid", "4"]
    command = ["train", "folder.ebgan_pt", str(tmp_path / "run"), "--data", str(tmp_path / "photos"), "--size", "16"]
    assert run([*command, "--images", "16", "--batch", "8", "--device", "cpu", *narrow]) == 0
    assert "objective.margin=" in capsys.readouterr().err
    trained = read_experiment(tmp_path / "run" / "config.yaml")
    assert trained.data.size == 16
    assert trained.objective.margin > 0
    assert trained.objective.pulling_away == 0.1


def test_the_margin_of_an_objective_within_another_is_found_too(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "set.npz", images=pictures, labels=np.arange(60) % 2)
    made = find("semisupervised_mnist.ebgan_ae").make()
    nets = dataclasses.replace(made.nets, generator=MLPGenerator(depth=2, width=8))
    made = dataclasses.replace(
        made,
        nets=nets,
        objective=SemiSupervised(inner=EBGAN(margin=None)),
        labelled=Labelled(count=20, batch=10),
        images=200,
        evaluation=Evaluation(grid=4),
    )
    train(made, tmp_path / "run", data=tmp_path / "set.npz", device="cpu")
    inner = read_experiment(tmp_path / "run" / "config.yaml").objective.inner
    assert inner.margin > 0
    assert train(made, tmp_path / "run", data=tmp_path / "set.npz", device="cpu").experiment.objective.inner == inner


def test_an_auto_encoder_with_a_head_of_classes_is_calibrated_without_it(capsys) -> None:
    small = ["--data", "digits", "--images", "640", "--data.padding", "0", "--device", "cpu"]
    assert run(["calibrate", "semisupervised_mnist.ebgan_ae", *small]) == 0
    assert "suggested: halfway between the last two" in capsys.readouterr().out
