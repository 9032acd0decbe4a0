"""Whoever is killed in a sweep, driver or workers, each trial ends with exactly one row, and that is right."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import dask
import pytest

from ebgan.sweeps import Grid, SweepStore, sweep
from ebgan.sweeps.cluster import connected

from .sweep_driver import GRID, fatal, score

LONG = (pytest.mark.slow, pytest.mark.timeout(3 * 3600))
DRIVER = Path(__file__).with_name("sweep_driver.py")


def start(out: Path) -> subprocess.Popen[bytes]:
    for left in out.glob("*.worker"):  # of processes that have ended, whose ids may come again
        left.unlink()
    with (out / "driver.txt").open("wb") as said:  # which tells why one ended by itself
        return subprocess.Popen([sys.executable, str(DRIVER), str(out)], stdout=said, stderr=said)


def finished(out: Path) -> int:
    if not (out / "trials.sqlite").exists():
        return 0
    with SweepStore(out / "trials.sqlite") as store:
        return len(store.finished())


def until(out: Path, driver: subprocess.Popen[bytes], count: int) -> None:
    """Wait until so many trials have their rows, or the driver has ended."""
    while driver.poll() is None and finished(out) < count:
        time.sleep(0.05)


def kill_a_worker(out: Path, driver: subprocess.Popen[bytes], chance: random.Random) -> int:
    """Kill one as soon as there is one that has begun a trial; how many were killed: 1, or 0 if the driver ended."""
    while driver.poll() is None:
        workers = [path for path in out.glob("*.worker") if Path("/proc", path.stem).exists()]
        if workers:
            with suppress(ProcessLookupError):
                os.kill(int(chance.choice(workers).stem), signal.SIGKILL)
                return 1
        time.sleep(0.05)
    return 0


def assert_right(out: Path) -> None:
    with SweepStore(out / "trials.sqlite") as store:
        rows = store.rows()
        expected = {trial.id: score(trial.experiment) for trial in GRID.trials()}
        assert {row.id: (row.status, row.score) for row in rows} == {
            trial: ("done", value) for trial, value in expected.items()
        }
        assert len(rows) == 400
        assert all(len(store.picture(row.id) or b"") == 64 for row in rows)


def assert_ended(out: Path) -> None:
    """The workers of a killed driver end by themselves."""
    workers = [Path("/proc", path.stem) for path in out.glob("*.worker")]
    patience = time.monotonic() + 60
    while any(map(Path.exists, workers)) and time.monotonic() < patience:
        time.sleep(0.05)
    assert workers
    assert not any(map(Path.exists, workers))


@pytest.mark.parametrize("kills", [1, pytest.param(100, marks=LONG)])
def test_kills_of_driver_and_workers_leave_one_right_row_a_trial(tmp_path: Path, kills: int) -> None:
    chance, kept, killed = random.Random(0), 0, 0
    for turn in range(kills):
        driver = start(tmp_path)
        killed += kill_a_worker(tmp_path, driver, chance)
        until(tmp_path, driver, (turn + 1) * 300 // kills)  # trials finished when the driver is killed
        assert driver.poll() is None, (tmp_path / "driver.txt").read_text()
        driver.kill()
        driver.wait()
        assert_ended(tmp_path)
        assert kept <= finished(tmp_path) < 400
        kept = finished(tmp_path)
    assert kept > 0
    driver = start(tmp_path)
    killed += kill_a_worker(tmp_path, driver, chance)
    assert driver.wait(timeout=240) == 0
    assert killed > kills
    assert_right(tmp_path)


def test_a_trial_that_kills_its_worker_fails_alone(tmp_path: Path) -> None:
    base = GRID.base
    pair = Grid(base=base, axes={"seed": (0, 1), "nets.generator.width": (8, 9, 10)})  # three stacks
    failed = sweep(pair, tmp_path, runner=fatal)
    with SweepStore(tmp_path / "trials.sqlite") as store:
        rows = store.rows()
    assert [(row.fields["seed"], row.fields["nets.generator.width"]) for row in rows if row.id in failed] == [(1, 9)]
    assert [row.status for row in rows].count("done") == 5
    assert [row.error for row in rows if row.error] == [
        "its worker was lost 3 times with nothing else at work: out of memory, perhaps"
    ]


def test_a_worker_that_is_slow_to_come_back_is_waited_for() -> None:
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "0s"}), connected(1) as client:
        (pid,) = client.run(os.getpid).values()
        os.kill(pid, signal.SIGKILL)
        assert client.submit(os.getpid, pure=False).result(timeout=120) != pid
