"""What one process does by itself: nothing of it reaches the others, who wait as long as it lives and no longer."""

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed

from ebgan.distributed import Rank, RankLostError, largest_across_ranks, rank
from ebgan.distributed.alone import alone
from ebgan.distributed.launching import LONGEST, ranks
from ebgan.errors import DataError, UsageError
from ebgan.experiment import Evaluation, Experiment, Nets
from ebgan.metrics import fitting
from ebgan.metrics.frechet import frechet_distance
from ebgan.metrics.kernel import kernel_distance
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import EBGAN
from ebgan.runs import trainer
from ebgan.storage.runfolder import read_records
from ebgan.training.loop import Training

LOST = RankLostError.exit_code
SHORT = 1.0  # seconds that a process is waited for
IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)


def exchange() -> None:
    """What a training step does."""
    assert float(largest_across_ranks(torch.tensor(float(rank().index)))) == rank().count - 1


def test_work_may_take_longer_than_a_collective_waits(on_ranks) -> None:
    def work(here: Rank) -> None:
        for busy in range(here.count):
            with alone():
                if here.index == busy:
                    time.sleep(2.5 * SHORT)
            exchange()

    assert on_ranks(2, work, timeout=SHORT) == [0, 0]


def test_a_process_that_works_alone_sees_no_others(on_ranks) -> None:
    features = torch.rand(20, 3)

    def work(here: Rank) -> None:
        with alone():
            assert rank() == Rank(0, 1)
            assert not distributed.is_initialized()
            if here.index == 1:
                with alone():
                    assert float(largest_across_ranks(torch.tensor(3.0))) == 3.0
                assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
                assert kernel_distance(features, features, subset=10, subsets=2) < 1
        assert rank() == here
        exchange()

    assert on_ranks(3, work, timeout=10.0) == [0, 0, 0]


def test_distances_enter_no_collective_where_torch_knows_of_others(on_ranks) -> None:
    features = torch.rand(20, 3)

    def work(here: Rank) -> None:
        if here.index == 0:
            frechet_distance(features, features)
            kernel_distance(features, features, subset=10, subsets=2)

    assert on_ranks(2, work, timeout=5.0) == [0, 0]


@pytest.mark.parametrize("failing", [0, 1])
def test_a_process_that_fails_says_why_and_the_others_stop_their_work(tmp_path, on_ranks, failing: int) -> None:
    def work(here: Rank) -> None:
        try:
            with alone():
                if here.index == failing:
                    raise DataError(f"no such folder: {'é' * 300}")
                time.sleep(60)
        except RankLostError as error:
            (tmp_path / "said").write_text(f"{error}, agreed: {error.agreed}")
            raise

    begun = time.monotonic()
    codes = on_ranks(2, work)
    assert codes == [DataError.exit_code if index == failing else LOST for index in range(2)]
    said = (tmp_path / "said").read_text()
    assert said.startswith("another of the processes that train together failed: no such folder: éé")
    assert said.endswith("agreed: True")
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("lost", [0, 1])
def test_a_process_that_is_killed_ends_the_work_of_the_others(on_ranks, lost: int) -> None:
    def work(here: Rank) -> None:
        with alone():
            if here.index == lost:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)

    begun = time.monotonic()
    assert on_ranks(2, work) == [-signal.SIGKILL if index == lost else LOST for index in range(2)]
    assert time.monotonic() - begun < 30


def stops(index: int, work, on_ranks) -> int:
    """How the other of two processes ends where one is stopped by SIGSTOP, as its work itself does."""
    children = on_ranks.started(2, work, timeout=SHORT)
    try:
        return on_ranks.ended([children[1 - index]])[0]
    finally:
        os.kill(children[index], signal.SIGKILL)
        on_ranks.ended([children[index]])


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("place", ["in its own work", "before it", "in a step"])
def test_a_process_that_is_stopped_is_lost_after_the_timeout(on_ranks, index: int, place: str) -> None:
    def stop(here: Rank) -> None:
        if here.index == index:
            os.kill(os.getpid(), signal.SIGSTOP)

    def work(here: Rank) -> None:
        exchange()
        if place != "in its own work":
            stop(here)
        if place == "in a step":
            exchange()
        with alone():
            stop(here)

    assert stops(index, work, on_ranks) == LOST


def test_a_thread_that_works_alone_is_told_at_its_end(on_ranks) -> None:
    """Signals reach the main thread alone."""

    def work(here: Rank) -> None:
        if here.index == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        lost: list[RankLostError] = []

        def beside() -> None:
            try:
                with alone():
                    time.sleep(1)
            except RankLostError as error:
                lost.append(error)

        thread = threading.Thread(target=beside)
        thread.start()
        thread.join()
        raise lost[0]

    assert on_ranks(2, work) == [LOST, -signal.SIGKILL]


def test_the_handler_of_before_is_back(on_ranks) -> None:
    def work(here: Rank) -> None:
        before = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        with alone():
            assert signal.getsignal(signal.SIGUSR2) is not signal.SIG_IGN
        assert signal.signal(signal.SIGUSR2, before) is signal.SIG_IGN

    assert on_ranks(2, work) == [0, 0]


@pytest.fixture
def evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """A short run on images with classes, with an evaluation after each second step."""
    monkeypatch.setattr(trainer, "write_report", lambda folder: None)
    monkeypatch.setattr(fitting, "_LEAST_IMAGES", 120)
    classes = np.arange(240) // 3 % 2  # dark and bright images, which a classifier tells apart
    levels = np.random.default_rng(0).integers(0, 60, (240, *IMAGES.shape[1:])) + 180 * classes[:, None, None]
    np.savez(tmp_path / "images.npz", images=levels.astype(np.uint8), labels=classes)
    experiment = Experiment(
        nets=Nets(generator=MLPGenerator(depth=2, width=8, noise=4), discriminator=MLPAutoencoder(depth=2, width=8)),
        objective=EBGAN(margin=4.0),
        images=120,
        batch=12,
        checkpoint=24,
        evaluation=Evaluation(grid=4, samples=20, every=24, pictures=24),
        precision="fp64",
    )
    return replace(experiment, data=replace(experiment.data, source=str(tmp_path / "images.npz")))


@pytest.mark.parametrize("index", [0, 1])
def test_a_signal_in_an_evaluation_stops_all_and_they_go_on_later(
    tmp_path, on_ranks, monkeypatch, evaluated: Experiment, index: int
) -> None:
    examine, save = Training.examine, Training.save

    def work(here: Rank) -> None:
        def signalled(training: Training, seen: int) -> None:
            if here.index == 0 and seen == 48:
                (tmp_path / "evaluating").touch()
                if index == 0:
                    os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(0.5)
            examine(training, seen)

        def saved(training: Training) -> None:  # the follower has nothing else to do meanwhile
            if here.index == index == 1 and training.course.seen == 48:
                os.kill(os.getpid(), signal.SIGTERM)
            save(training)

        monkeypatch.setattr(Training, "examine", signalled)
        monkeypatch.setattr(Training, "save", saved)
        trainer.train(evaluated, tmp_path / "run", device="cpu")

    assert on_ranks(2, work) == [143, 143]
    assert (tmp_path / "evaluating").exists()
    assert on_ranks(2, lambda here: trainer.train(evaluated, tmp_path / "run", device="cpu")) == [0, 0]
    trainer.train(evaluated, tmp_path / "alone", device="cpu")
    together, alone_ = (read_records(tmp_path / name / "evaluations.jsonl") for name in ("run", "alone"))
    assert [record["images"] for record in together] == [24, 48, 72, 96, 120]
    for ours, theirs in zip(together, alone_, strict=True):
        assert ours["metrics"] == pytest.approx(theirs["metrics"], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("timeout", [0.0, -1.0, float("nan"), float("inf"), LONGEST * 2])
def test_a_timeout_that_is_none_is_refused(timeout: float) -> None:
    with pytest.raises(UsageError, match=r"timeout=.*: expected minutes, more than 0 and at most 100,000"):
        ranks(torch.device("cpu"), 2, timeout).__enter__()
