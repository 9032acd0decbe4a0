"""Processes that torchrun or SLURM starts, on one machine or several, train what one process trains."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ebgan.distributed import RankLostError
from ebgan.distributed.launching import ranks
from ebgan.errors import UsageError
from ebgan.experiment import Evaluation, Experiment, Nets, Optimisers
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import BEGAN
from ebgan.runs import trainer
from ebgan.training.checkpoint import newest
from ebgan.training.optim import SGD

EXPERIMENT = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=3, width=10, noise=5, std=0.3),
        discriminator=MLPAutoencoder(depth=3, width=8, dropout=0.3, std=0.3),
    ),
    objective=BEGAN(gamma=1.0, lambda_k=0.1),
    optimisers=Optimisers(discriminator=SGD(lr=0.01), generator=SGD(lr=0.01)),
    images=48,
    batch=12,
    checkpoint=12,
    evaluation=Evaluation(grid=4),
    precision="fp64",
)
IMAGES = np.random.default_rng(0).integers(0, 256, (50, 8, 8), dtype=np.uint8)
MACHINES = [1, 2]  # with so many processes in all that there are two


def port() -> str:
    """One that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def train(folder: Path, images: int = EXPERIMENT.images) -> list[str]:
    """`ebgan train` of the experiment into folder/out."""
    np.savez(folder / "images.npz", images=IMAGES)
    data = replace(EXPERIMENT.data, source=str(folder / "images.npz"))
    (folder / "config.yaml").write_text(replace(EXPERIMENT, data=data, images=images).to_yaml())
    program = str(Path(sys.executable).with_name("ebgan"))
    return [program, "train", str(folder / "config.yaml"), str(folder / "out"), "--device", "cpu"]


def torchrun(machines: int, command: list[str]) -> list[subprocess.Popen[str]]:
    """Two processes by torchrun, once on each machine."""
    here, meeting = 2 // machines, port()
    place = ["--nnodes", str(machines), "--nproc-per-node", str(here), "--master-addr", "127.0.0.1"]
    launcher = [sys.executable, "-m", "torch.distributed.run", *place, "--master-port", meeting, "--no-python"]
    return [started([*launcher, "--node-rank", str(node), *command]) for node in range(machines)]


def slurm(machines: int, command: list[str]) -> list[subprocess.Popen[str]]:
    """Two processes with what SLURM tells them."""
    here, meeting = 2 // machines, port()
    job = {"SLURM_JOB_ID": "71234", "SLURM_JOB_NAME": "ebgan", "SLURM_NODELIST": "127.0.0.1", "MASTER_PORT": meeting}
    job |= {"SLURM_STEP_ID": "0"}
    sizes = {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": str(here), "SLURM_NNODES": str(machines)}
    places = [{"PROCID": task, "LOCALID": task % here, "NODEID": task // here} for task in range(2)]
    return [
        started(command, job | sizes | {f"SLURM_{name}": str(value) for name, value in place.items()})
        for place in places
    ]


def started(command: list[str], environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env={**os.environ, "OMP_NUM_THREADS": "1"} | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def ends(processes: list[subprocess.Popen[str]]) -> list[int]:
    """Their exit codes, once all have ended."""
    return [process.wait(timeout=200) for process in processes]


def under_way(folder: Path) -> None:
    """Wait until it trains."""
    until = time.monotonic() + 120
    while not (folder / "out" / "checkpoints").exists() and time.monotonic() < until:
        time.sleep(0.1)


def children(process: subprocess.Popen[str]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    """Whether a process still runs; one that only waits to be counted does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("machines", MACHINES)
@pytest.mark.parametrize("launch", [torchrun, slurm])
def test_two_processes_train_what_one_does(tmp_path: Path, launch, machines: int) -> None:
    processes = launch(machines, train(tmp_path))
    said = [process.communicate(timeout=200)[0] for process in processes]
    assert ends(processes) == [0] * len(processes), said
    trainer.train(EXPERIMENT, tmp_path / "alone", data=IMAGES, device="cpu")
    together, alone = (newest(tmp_path / name / "checkpoints") for name in ("out", "alone"))
    assert together is not None
    assert alone is not None
    assert together[0].tensors["objective.k"] > 0
    torch.testing.assert_close(together[0].tensors, alone[0].tensors, rtol=1e-7, atol=1e-7)


@pytest.mark.slow
def test_a_process_that_torchrun_loses_ends_the_others(tmp_path: Path) -> None:
    (launcher,) = torchrun(1, train(tmp_path, images=10**9))
    under_way(tmp_path)
    workers = children(launcher)
    os.kill(workers[1], signal.SIGKILL)
    launcher.communicate(timeout=120)
    assert launcher.returncode != 0
    assert [worker for worker in workers if alive(worker)] == []


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1])
def test_a_task_that_slurm_loses_ends_the_other(tmp_path: Path, lost: int) -> None:
    tasks = slurm(2, train(tmp_path, images=10**9))
    under_way(tmp_path)
    tasks[lost].kill()
    said = tasks[1 - lost].communicate(timeout=120)[0]
    assert tasks[1 - lost].returncode == RankLostError.exit_code, said
    assert "lost another of the processes that train together" in said
    tasks[lost].communicate()


def test_tasks_of_slurm_without_their_number_on_each_machine_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setenv("SLURM_NTASKS", "4")
    monkeypatch.delenv("SLURM_STEP_ID", raising=False)
    with pytest.raises(UsageError, match=r"the SLURM job has 4 tasks, .* start it by srun"):
        ranks(torch.device("cpu")).__enter__()
    monkeypatch.setenv("SLURM_STEP_ID", "0")
    with pytest.raises(UsageError, match=r"SLURM started 4 tasks, .* give srun or sbatch --ntasks-per-node"):
        ranks(torch.device("cpu")).__enter__()


def test_in_a_shell_of_slurm_one_process_trains_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setenv("SLURM_NTASKS", "4")
    monkeypatch.setenv("SLURM_JOB_NAME", "interactive")
    with ranks(torch.device("cpu")) as device:
        assert device == torch.device("cpu")
