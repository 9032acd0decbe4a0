"""The workers that come with a sweep, and the scheduler of a cluster."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest
from distributed import Client

from ebgan.experiment import Experiment
from ebgan.sweeps import Grid, Result, Standing, SweepStore, sweep
from ebgan.sweeps.cluster import connected
from ebgan.sweeps.driver import SchedulerLostError


@pytest.fixture(scope="module")
def local() -> Iterator[Client]:
    with connected(1) as client:
        yield client


def test_a_worker_keeps_the_memory_that_its_next_step_needs(local: Client) -> None:
    (kept,) = local.run(os.environ.get, "MALLOC_TRIM_THRESHOLD_").values()
    assert int(kept) >= 1 << 28


def listening(pid: int) -> list[str]:
    """The addresses at which a process waits for connections from others."""
    return [each.laddr.ip for each in psutil.Process(pid).net_connections("inet") if each.status == psutil.CONN_LISTEN]


def test_nothing_of_a_sweep_listens_beyond_this_machine(local: Client) -> None:
    (worker,) = local.run(os.getpid).values()
    found = listening(os.getpid()) + listening(worker)
    assert len(found) >= 3  # scheduler, dashboard and worker
    assert {address for address in found if not ip_address(address).is_loopback} == set()


def nothing(experiments: Sequence[Experiment], device: str) -> list[Result]:
    """Never called: the scheduler has no worker."""
    raise AssertionError


def test_a_scheduler_that_ends_is_told_and_its_trials_wait(tmp_path: Path) -> None:
    told = tmp_path / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--host", "127.0.0.1"]
    with subprocess.Popen([*command, "--port", "0", "--scheduler-file", str(told)], stderr=subprocess.DEVNULL) as made:

        class Killer:
            def standing(self, standing: Standing) -> None:
                assert standing.running == 0
                made.kill()

        try:
            while not told.exists() or not told.read_text():
                assert made.poll() is None
                time.sleep(0.1)
            address = json.loads(told.read_text())["address"]
            grid = Grid(base=Experiment(images=640), axes={"seed": (0, 1)})
            with pytest.raises(SchedulerLostError, match="the same command goes on") as raised:
                sweep(grid, tmp_path / "out", scheduler=address, runner=nothing, observer=Killer())
        finally:
            made.kill()
    assert raised.value.exit_code == 8
    with SweepStore(tmp_path / "out" / "trials.sqlite") as store:
        assert [row.status for row in store.rows()] == ["waiting"] * 2
