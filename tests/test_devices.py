"""`ebgan train --devices 2`: what it trains, and how all its processes end."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ebgan.distributed import RankLostError
from ebgan.experiment import Evaluation, Experiment, Nets, Optimisers, read_experiment
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import EBGAN
from ebgan.runs import trainer
from ebgan.storage.runfolder import read_records
from ebgan.training.checkpoint import Checkpoint, newest
from ebgan.training.lock import run_lock
from ebgan.training.optim import Adam

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 8, 8), dtype=np.uint8)
EBGAN_PT = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=3, width=10, noise=5, std=0.3),
        discriminator=MLPAutoencoder(depth=3, width=8, dropout=0.3, std=0.3),
    ),
    objective=EBGAN(margin=4.0, pulling_away=0.1),
    optimisers=Optimisers(discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2)),
    images=240,
    batch=12,
    checkpoint=24,
    evaluation=Evaluation(grid=4),
    precision="fp64",
)
# A batch norm takes the bias before it away again: its gradient is rounding alone, of which Adam makes steps.
CANCELLED = {"hidden.0.bias", "hidden.1.mean", "hidden.3.bias", "hidden.4.mean", "trunk.3.bias", "trunk.4.mean"}


@pytest.mark.slow
def test_processes_that_stop_together_wait_for_the_one_that_saves(tmp_path) -> None:
    script = Path(__file__).with_name("stopping_ranks.py")
    saved = tmp_path / "saved"
    assert subprocess.run([sys.executable, str(script), str(saved)], timeout=100, check=False).returncode == 143
    assert saved.exists()


class Command:
    """`ebgan train ... --devices 2`, and all the processes that it starts."""

    def __init__(self, folder: Path, *options: str, **changes: object) -> None:
        np.savez(folder / "images.npz", images=IMAGES)
        data = replace(EBGAN_PT.data, source=str(folder / "images.npz"))
        config, self.out = folder / "config.yaml", folder / "out"
        config.write_text(replace(EBGAN_PT, data=data, **changes).to_yaml())
        self.start(str(config), *options)

    def start(self, recipe: str, *options: str) -> None:
        program = str(Path(sys.executable).with_name("ebgan"))
        arguments = ["train", recipe, str(self.out), "--device", "cpu", "--devices", "2", *options]
        self.process = subprocess.Popen(
            [program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def under_way(self, sign: str = "checkpoints") -> None:
        """Wait until it trains, or a file appears in its folder."""
        until = time.monotonic() + 240
        while not (self.out / sign).exists() and time.monotonic() < until:
            time.sleep(0.05)

    def process_of(self, index: int) -> int:
        """The process of a rank."""
        return self.followers()[0] if index else self.process.pid

    def followers(self) -> list[int]:
        """The processes that it started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children]

    def end(self) -> tuple[int, str]:
        """Its exit code and what it said, once no process of it is left."""
        _, said = self.process.communicate(timeout=400)
        until = time.monotonic() + 20
        while self.alive() and time.monotonic() < until:
            time.sleep(0.1)
        assert not self.alive()
        return self.process.returncode, said

    def alive(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True


class Digits(Command):
    """The same on digits with classes, so that there are evaluations, of which the first takes seconds."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.out = folder / "out"
        self.start("digits", *options)


def final(out: Path) -> Checkpoint:
    """The newest checkpoint."""
    found = newest(out / "checkpoints")
    assert found is not None
    return found[0]


def test_the_command_trains_on_two_devices_what_it_trains_on_one(tmp_path) -> None:
    command = Command(tmp_path, images=96)
    code, said = command.end()
    assert code == 0, said
    trainer.train(read_experiment(command.out / "config.yaml"), tmp_path / "alone", device="cpu")
    together, alone = (final(out).tensors for out in (command.out, tmp_path / "alone"))
    assert together.keys() == alone.keys()
    for name in [name for name in alone if name.split(".", 1)[1] not in CANCELLED]:
        torch.testing.assert_close(together[name], alone[name], rtol=1e-7, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_to_the_command_ends_all_its_processes(tmp_path, number: signal.Signals, code: int) -> None:
    command = Command(tmp_path, images=10**9)
    command.under_way()
    command.process.send_signal(number)
    found, said = command.end()
    assert found == code, said
    assert said.count("all is saved") == 1
    assert (command.out / "report.html").is_file()


@pytest.mark.slow
def test_a_follower_that_is_killed_ends_the_command(tmp_path) -> None:
    command = Command(tmp_path, images=10**9)
    command.under_way()
    os.kill(command.followers()[0], signal.SIGKILL)
    code, said = command.end()
    assert code == RankLostError.exit_code, said


@pytest.mark.slow
def test_a_leader_that_is_killed_takes_its_followers_along(tmp_path) -> None:
    command = Command(tmp_path, images=10**9)
    command.under_way()
    command.process.kill()
    assert command.end()[0] == -signal.SIGKILL


@pytest.mark.slow
def test_a_locked_folder_is_told_once_and_ends_all(tmp_path) -> None:
    with run_lock(tmp_path / "out" / "lock"):
        code, said = Command(tmp_path).end()
    assert code == 9, said
    assert said.count("trains here") == 1
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_digits_train_on_two_devices_and_go_on_on_one_and_on_two(tmp_path) -> None:
    command = Digits(tmp_path, "--images", "1280", "--override-config")
    code, said = command.end()
    assert code == 0, said
    assert len(read_records(command.out / "evaluations.jsonl")) == 10
    for devices, images in (("1", 1920), ("2", 2560)):
        longer = Digits(tmp_path, "--devices", devices, "--images", str(images), "--override-config")
        code, said = longer.end()
        assert code == 0, said
        assert final(command.out).images == images
        assert (command.out / "samples" / f"{images:09d}.png").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 1])
def test_a_signal_in_an_evaluation_ends_all_processes_of_the_command(tmp_path, index: int) -> None:
    command = Digits(tmp_path, "--images", "6400")
    command.under_way("samples/000000640.png")
    os.kill(command.process_of(index), signal.SIGTERM)
    code, said = command.end()
    assert code == 143, said
    assert final(command.out).images == 704  # one step later than it was heard of
    assert len(read_records(command.out / "evaluations.jsonl")) == 1


@pytest.mark.slow
@pytest.mark.parametrize("sign", ["checkpoints", "samples/000000640.png"])
@pytest.mark.parametrize("index", [0, 1])
def test_a_process_of_the_command_that_is_killed_ends_it(tmp_path, index: int, sign: str) -> None:
    """In a step and in an evaluation."""
    command = Digits(tmp_path, "--images", "6400")
    command.under_way(sign)
    os.kill(command.process_of(index), signal.SIGKILL)
    code, said = command.end()
    assert code == (RankLostError.exit_code if index else -signal.SIGKILL), said
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.parametrize("sign", ["lock", "checkpoints", "samples/000000640.png"])
@pytest.mark.parametrize("index", [0, 1])
def test_a_process_of_the_command_that_is_stopped_ends_it_after_the_timeout(tmp_path, index: int, sign: str) -> None:
    """At the start, in a step and in an evaluation."""
    command = Digits(tmp_path, "--images", "6400", "--timeout", "0.3")
    command.under_way(sign)
    os.kill(command.process_of(index), signal.SIGSTOP)
    code, said = command.end()
    assert code == RankLostError.exit_code, said
    assert said.count("lost another of the processes") >= 1
    assert "Traceback" not in said
