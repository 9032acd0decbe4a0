"""Nothing that moves can be forgotten: each part of the state is missed when it does not come back."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ebgan.errors import CheckpointError
from ebgan.objectives import EBGAN
from ebgan.runs.trainer import Silent
from ebgan.storage.runfolder import RunFolder, append_record, read_records
from ebgan.training import loop
from ebgan.training.checkpoint import best_path, read
from ebgan.training.course import Course
from ebgan.training.log import Log
from ebgan.training.loop import Training
from ebgan.training.state import restore, state


def scramble(training: Training) -> dict[str, Tensor]:
    """What a process of another seed might hold in each place, which now this one holds."""
    others = {}
    for name, tensor in (*state(training.course).items(), ("images", training.course.progress.seen)):
        random = torch.rand(tensor.shape) + 0.5 if tensor.is_floating_point() else torch.ones_like(tensor)
        others[name] = tensor.copy_(random).clone()
    return others


def last_two_steps(training: Training, instead: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state at the end of a run that goes on from its newest checkpoint, with another value in some places.

    It draws and saves nothing at its end, so that the next call goes on from the same checkpoint.
    """
    scramble(training)

    def spoiled(course: Course, tensors: dict[str, Tensor], seen: int) -> None:
        restore(course, tensors | instead, int(instead.get("images", seen)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "restore", spoiled)
        patch.setattr(training.looks, "picture", lambda *_: None)
        for last in ("examine", "save"):
            patch.setattr(training, last, lambda *_: None)
        training.resume()
        training.run()
    return state(training.course)


@pytest.mark.parametrize("kind", range(7), ids=["EBGAN-PT", "GAN", "BEGAN", "MAGAN", "VCD", "R3GAN", "EBGAN-LN"])
def test_every_part_of_the_state_is_missed_when_it_does_not_come_back(kinds, kind, a_run, inside, digest_of) -> None:
    training = inside(a_run(kinds[kind]))
    whole = digest_of(state(training.course))
    others = scramble(training)
    max(training.log.folder.checkpoints.glob("0*.ckpt")).unlink()  # of the end: two steps are left to go
    assert digest_of(last_two_steps(training, {})) == whole
    assert len(others) > 40
    for name, other in others.items():
        assert digest_of(last_two_steps(training, {name: other})) != whole, name


def test_records_of_an_attempt_that_left_no_checkpoint_are_dropped(ebgan_pt, a_run) -> None:
    run = a_run(ebgan_pt)
    run.folder.mkdir()
    folder = RunFolder(run.folder)
    for path in (folder.stats, folder.evaluations):
        path.write_text('{"images": 24, "metrics": {}}\n{"images": 36, "met')
    folder.alarms.write_text('{"images": 24, "alarm": "divergence", "message": "of before"}\n')
    run.train()
    assert [record["images"] for record in read_records(folder.stats)] == list(range(12, 252, 12))
    assert "of before" not in (folder.alarms.read_text() if folder.alarms.exists() else "")


def test_a_symptom_that_lasted_before_a_run_was_stopped_counts(tmp_path) -> None:
    folder = RunFolder(tmp_path)
    for images in (10_000, 20_000):
        append_record(folder.stats, {"images": images, "code_similarity": 0.99})
    log = Log(folder, Silent(), 100_000, EBGAN().asks.alarms)
    log.keep(20_000)
    log.record({"images": 30_000, "code_similarity": 0.99})
    assert [record["alarm"] for record in read_records(folder.alarms)] == ["collapse"]


def test_a_checkpoint_without_a_part_of_the_state_is_refused_by_its_name(ebgan_pt, a_run, inside) -> None:
    training = inside(a_run(ebgan_pt))
    saved = read(max(training.log.folder.checkpoints.glob("0*.ckpt"))).tensors
    before = {name: value.clone() for name, value in state(training.course).items()}
    scrambled = {name: value + 1 for name, value in saved.items()}
    for name in saved:
        others = {key: value for key, value in scrambled.items() if key != name}
        with pytest.raises(CheckpointError, match=rf"no {re.escape(name)} of shape"):
            restore(training.course, others, 0)
        with pytest.raises(CheckpointError, match=rf"no {re.escape(name)} of shape .* but one of \[1, 1, 1\]"):
            restore(training.course, others | {name: torch.zeros(1, 1, 1)}, 0)
    assert all(torch.equal(value, before[name]) for name, value in state(training.course).items())


def test_the_best_score_comes_back_so_that_a_worse_evaluation_does_not_replace_the_best_weights(
    ebgan_pt, a_run, inside, monkeypatch
) -> None:
    scores = {120: 5.0}  # by images; all others are worse
    monkeypatch.setattr(Training, "examine", examined(scores))
    run = a_run(replace(ebgan_pt, evaluation=replace(ebgan_pt.evaluation, every=24)))
    training = inside(run)
    assert training.saver.best == 5.0
    best = read(best_path(training.log.folder.checkpoints))
    assert best.images == 120
    max(training.log.folder.checkpoints.glob("0*.ckpt")).unlink()  # so that steps and evaluations are left
    assert inside(run).saver.best == 5.0
    assert read(best_path(training.log.folder.checkpoints)).images == 120


def examined(scores: dict[int, float]) -> Callable[[Training, int], None]:
    """Evaluations that find these scores, and 1 elsewhere."""
    examine = Training.examine

    def instead(training: Training, seen: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(training.looks, "evaluate", lambda seen: {"images": seen, "metrics": {}})
            patch.setattr(training.looks, "score", lambda _: scores.get(seen, 1.0))
            examine(training, seen)

    return instead
