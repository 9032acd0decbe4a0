"""A sweep on a cluster whose connections are encrypted, by Dask's own certificates."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dask
import distributed  # noqa: F401 - whose settings are read when it is imported
import pytest

from ebgan.errors import UsageError
from ebgan.experiment import Experiment
from ebgan.sweeps import Grid, Result, SweepStore, sweep

PYTHON = (sys.executable, "-m")
pytestmark = [
    pytest.mark.slow,  # a scheduler and a worker
    pytest.mark.skipif(
        shutil.which("openssl") is None, reason="openssl, which makes the certificates, is not installed"
    ),
]


def done(experiments: Sequence[Experiment], device: str) -> list[Result]:
    """Results without training."""
    return [Result("done", float(experiment.seed)) for experiment in experiments]


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Dask's settings for a certificate that signs itself."""
    made = {"key": tmp_path / "key.pem", "cert": tmp_path / "cert.pem"}
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", made["key"], "-out", made["cert"]], check=True, capture_output=True)
    found = {"distributed.comm.tls.ca-file": str(made["cert"]), "distributed.comm.require-encryption": "true"}
    for role in ("client", "scheduler", "worker"):
        found |= {f"distributed.comm.tls.{role}.{name}": str(path) for name, path in made.items()}
    return found


@contextmanager
def cluster(folder: Path, settings: dict[str, str]) -> Iterator[str]:
    """A scheduler and a worker in processes of their own; the scheduler's address."""
    names = {f"DASK_{name.upper().replace('.', '__').replace('-', '_')}": value for name, value in settings.items()}
    search = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | names | {"PYTHONPATH": search}
    told = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    scheduler = [*PYTHON, "distributed.cli.dask_scheduler", "--no-dashboard", "--host", "tls://127.0.0.1"]
    worker = [*PYTHON, "distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard"]
    with subprocess.Popen([*scheduler, "--port", "0", "--scheduler-file", str(told)], **quiet) as first:
        while not told.exists() or not told.read_text():
            assert first.poll() is None
            time.sleep(0.1)
        with subprocess.Popen([*worker, "--scheduler-file", str(told)], **quiet) as second:
            try:
                yield json.loads(told.read_text())["address"]
            finally:
                second.terminate()
                first.terminate()


def test_a_sweep_runs_on_a_cluster_over_tls_and_only_with_its_certificates(
    tmp_path: Path, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = Grid(base=Experiment(images=640, precision="fp32"), axes={"seed": (0, 1, 2)})
    monkeypatch.setattr("ebgan.sweeps.cluster.ANSWER", 30.0)
    with cluster(tmp_path, settings) as address:
        assert address.startswith("tls://127.0.0.1:")
        with dask.config.set(settings):
            assert sweep(grid, tmp_path / "out", scheduler=address, runner=done) == []
        monkeypatch.setattr("ebgan.sweeps.cluster.ANSWER", 3.0)
        with pytest.raises(UsageError, match=r"--scheduler .* needs certificates"):
            sweep(Grid(base=grid.base, axes={"seed": (3,)}), tmp_path / "other", scheduler=address, runner=done)
    with SweepStore(tmp_path / "out" / "trials.sqlite") as store:
        assert [(row.status, row.score) for row in store.rows()] == [("done", 0.0), ("done", 1.0), ("done", 2.0)]
