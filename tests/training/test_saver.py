"""Checkpoints are written beside training: what is saved is the state of the call, and no error is lost."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from ebgan.data import from_array
from ebgan.errors import StorageError
from ebgan.experiment import Experiment, Nets
from ebgan.experiment.starting import start
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.storage.held import FolderLostError
from ebgan.training import saver as saving
from ebgan.training.checkpoint import Checkpoint, newest, publish
from ebgan.training.plan import Plan
from ebgan.training.saver import Saver

WAIT = 20.0  # seconds after which a thread that hangs fails the test
PLAN = Plan(
    images=40,
    batch=2,
    record=10,
    picture=10,
    evaluation=10,
    checkpoint=10,
    config="c0ffee",
    waive_config=False,
    waive_data=False,
    meta={},
)


@pytest.fixture
def weight(monkeypatch: pytest.MonkeyPatch) -> torch.Tensor:
    """All that training changes."""
    tensor = torch.zeros(3)
    monkeypatch.setattr(saving, "state", lambda course: {"weight": tensor})
    return tensor


@pytest.fixture
def saver(tmp_path: Path, weight: torch.Tensor) -> Saver:
    """The saver of a run at 10 images seen."""
    nets = Nets(generator=MLPGenerator(width=4, noise=2), discriminator=MLPAutoencoder(width=4))
    course = start(Experiment(nets=nets, batch=2), from_array(np.zeros((4, 6, 6), np.uint8)))
    course.seen, course.step = 10, 5
    return Saver(course, PLAN, tmp_path)


def test_a_save_waits_for_the_copy_alone_and_the_next_one_for_the_file(
    saver: Saver, weight: torch.Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, allowed = threading.Event(), threading.Event()

    def slow(folder: Path, checkpoint: Checkpoint) -> Path:
        begun.set()
        assert allowed.wait(WAIT)
        return publish(folder, checkpoint)

    monkeypatch.setattr(saving, "publish", slow)
    saver.save(1.0)
    assert begun.wait(WAIT)
    weight.fill_(1.0)  # a step, meanwhile
    saver.check()
    assert saver.saved is None
    assert newest(tmp_path) is None
    threading.Timer(0.1, allowed.set).start()
    saver.course.seen = 20
    saver.save(2.0)  # waits for the first
    assert saver.saved == 10
    found = newest(tmp_path)
    assert found is not None
    assert torch.equal(found[0].tensors["weight"], torch.zeros(3))
    saver.wait()
    found = newest(tmp_path)
    assert found is not None
    assert (found[0].images, found[0].meta["seconds"], saver.saved) == (20, 2.0, 20)
    assert torch.equal(found[0].tensors["weight"], torch.ones(3))


@pytest.mark.parametrize("met_at", ["check", "wait", "save"])
def test_an_error_of_the_writer_is_raised_once_where_training_next_asks(
    saver: Saver, monkeypatch: pytest.MonkeyPatch, met_at: str
) -> None:
    def refused(folder: Path, checkpoint: Checkpoint) -> Path:
        raise StorageError(f"{folder}: could not be read or written")

    monkeypatch.setattr(saving, "publish", refused)
    saver.save(1.0)
    assert saver._writer is not None
    saver._writer.join()
    with pytest.raises(StorageError, match="could not be read or written"):
        getattr(saver, met_at)(*([2.0] if met_at == "save" else []))
    saver.check()
    saver.wait()
    assert saver.saved is None


def test_the_end_waits_for_the_file_also_after_an_error(saver: Saver, tmp_path: Path) -> None:
    def lost() -> None:
        with saver.writing():
            saver.save(1.0)
            raise FolderLostError("gone")

    with pytest.raises(FolderLostError, match=r"gone The weights were last saved after 10 images seen"):
        lost()
    assert newest(tmp_path) is not None


def test_only_a_better_score_is_kept_as_the_best(saver: Saver, tmp_path: Path) -> None:
    for seen, score in ((10, 1.0), (20, 0.5), (30, 2.0), (40, 2.0)):
        saver.course.seen = seen
        saver.save_best(score, 0.0)
        saver.wait()
    assert saver.best == 2.0
    found = newest(tmp_path)
    assert found is not None
    assert found[0].images == 30
