"""Which changes of a config a run resumes with, and which it refuses."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ebgan.errors import UsageError
from ebgan.experiment import Data, Evaluation, Experiment, Nets, Optimisers
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import BEGAN, EBGAN
from ebgan.runs import trainer
from ebgan.runs.config_changes import check_config
from ebgan.storage.runfolder import RunFolder
from ebgan.training.checkpoint import newest
from ebgan.training.optim import Adam

SMALL = Experiment(
    nets=Nets(generator=MLPGenerator(depth=2, width=8, noise=4), discriminator=MLPAutoencoder(width=8)),
    images=48,
    batch=12,
    precision="fp32",
    checkpoint=24,
    evaluation=Evaluation(grid=4, every=10**9, pictures=10**9),
)
IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)


class Listener(trainer.Silent):
    """An observer that keeps the notices."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


@pytest.fixture
def resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A run of SMALL, resumed as another experiment, on data in a file: what was said."""
    monkeypatch.setattr(trainer, "write_report", lambda folder: None)
    np.save(tmp_path / "images.npy", IMAGES)
    trainer.train(SMALL, tmp_path / "run", data=tmp_path / "images.npy", device="cpu")

    def again(changed: Experiment, file: str = "images.npy", **waived: bool) -> list[str]:
        listener = Listener()
        trainer.train(changed, tmp_path / "run", data=tmp_path / file, device="cpu", observer=listener, **waived)
        return listener.notices

    return again


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (replace(SMALL, data=Data(workers=1)), "data.workers: 0, now 1"),
        (replace(SMALL, checkpoint=12), "checkpoint: 24, now 12"),
        (replace(SMALL, checkpoint=None), "checkpoint: 24, now null"),
        (replace(SMALL, evaluation=replace(SMALL.evaluation, samples=7)), "evaluation.samples: 2000, now 7"),
        (replace(SMALL, evaluation=replace(SMALL.evaluation, pictures=24)), "evaluation.pictures: 1000000000, now 24"),
        (replace(SMALL, images=72), "images: 48, now 72"),
    ],
)
def test_what_computes_nothing_is_taken_up_with_a_notice(
    resumed: Callable[..., list[str]], tmp_path: Path, changed: Experiment, said: str
) -> None:
    notices = resumed(changed)
    assert any(f"changed since the run was started: {said}" in each for each in notices)
    assert "going on from 48 images seen" in notices
    assert not any("changed since" in each for each in resumed(changed))


def test_a_run_that_is_made_longer_computes_what_one_of_that_length_computes(
    resumed: Callable[..., list[str]], tmp_path: Path
) -> None:
    resumed(replace(SMALL, images=96))
    trainer.train(replace(SMALL, images=96), tmp_path / "whole", data=tmp_path / "images.npy", device="cpu")
    found = [newest(tmp_path / name / "checkpoints") for name in ("run", "whole")]
    one, other = (each[0].tensors for each in found if each)
    assert one.keys() == other.keys()
    assert all(bool((one[name] == other[name]).all()) for name in one)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (replace(SMALL, seed=1), "seed: 0, now 1"),
        (replace(SMALL, batch=6), "batch: 12, now 6"),
        (replace(SMALL, precision="fp64"), "precision: fp32, now fp64"),
        (replace(SMALL, ema=100), "ema: null, now 100"),
        (replace(SMALL, objective=EBGAN(margin=3.0)), "objective.margin: 10.0, now 3.0"),
        (replace(SMALL, objective=BEGAN()), "objective.type: EBGAN, now BEGAN"),
        (replace(SMALL, optimisers=Optimisers(generator=Adam(lr=1e-4))), "optimisers.generator.lr: 0.001, now 0.0001"),
        (replace(SMALL, images=72, seed=1), "seed: 0, now 1"),
    ],
)
def test_what_computes_is_refused(resumed: Callable[..., list[str]], changed: Experiment, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        resumed(changed)
    assert "images: 48" not in str(raised.value)  # which alone would be no obstacle


def test_fewer_images_than_were_seen_are_refused_and_the_run_stays_as_it_is(
    resumed: Callable[..., list[str]], tmp_path: Path
) -> None:
    before = (tmp_path / "run" / "config.yaml").read_text()
    for waived in ({}, {"override_config": True}):
        with pytest.raises(UsageError, match=r"images=24: the run in .* has seen 48 already: choose at least as many"):
            resumed(replace(SMALL, images=24), **waived)
    assert (tmp_path / "run" / "config.yaml").read_text() == before
    assert "going on from 48 images seen" in resumed(SMALL)


def test_a_last_step_beyond_the_length_is_no_obstacle(resumed: Callable[..., list[str]]) -> None:
    resumed(replace(SMALL, images=70))
    assert "going on from 72 images seen" in resumed(replace(SMALL, images=70))


def test_the_same_data_elsewhere_is_taken_up_and_other_data_is_refused(
    resumed: Callable[..., list[str]], tmp_path: Path
) -> None:
    np.save(tmp_path / "moved.npy", IMAGES)
    notices = resumed(SMALL, "moved.npy")
    assert any("data.source: " in each and each.endswith("moved.npy") for each in notices)
    np.save(tmp_path / "others.npy", IMAGES[::-1])
    with pytest.raises(UsageError, match="other data"):
        resumed(SMALL, "others.npy")


@pytest.mark.parametrize(
    "content", [b"", b"- 1\n", b"a: [\n", b"\xff\xfe", b"a: &b {c: 1}\nd: *b\n", b"a: &a {b: *a}\n"]
)
def test_a_config_that_cannot_be_read_is_refused_unless_it_is_waived(tmp_path: Path, content: bytes) -> None:
    folder, notices = RunFolder(tmp_path), list[str]()
    folder.config.write_bytes(content)
    with pytest.raises(UsageError, match="all fields: no readable YAML, now a config"):
        check_config(SMALL, folder, notices.append, waived=False)
    check_config(SMALL, folder, notices.append, waived=True)
    assert len(notices) == 1


def test_a_comment_and_a_whole_number_in_a_config_are_no_change(tmp_path: Path) -> None:
    folder, notices = RunFolder(tmp_path), list[str]()
    folder.config.write_text("# mine\n" + SMALL.to_yaml().replace("margin: 10.0", "margin: 10"))
    check_config(SMALL, folder, notices.append, waived=False)
    assert notices == []
