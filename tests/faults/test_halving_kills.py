"""A driver that is killed between two rungs goes on with the second: nothing is trained twice, nothing is lost."""

import signal
import subprocess
import sys
from pathlib import Path

from ebgan.sweeps import SweepStore

DRIVER = Path(__file__).with_name("halving_driver.py")


def ended(out: Path, *options: str) -> int:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.run(
        [sys.executable, str(DRIVER), str(out), *options], check=False, timeout=240, **quiet
    ).returncode


def trained(out: Path) -> dict[int, list[int]]:
    """The seeds with a result, by the images that their rows say."""
    found: dict[int, list[int]] = {}
    with SweepStore(out / "trials.sqlite") as store:
        for row in store.rows():
            assert (row.status, row.score) == ("done", row.fields["seed"] % 5)
            found.setdefault(row.fields["images"], []).append(row.fields["seed"])
    return found


def test_a_kill_between_two_rungs_costs_nothing(tmp_path: Path) -> None:
    assert ended(tmp_path, "killed") == -signal.SIGKILL
    assert trained(tmp_path) == {200_000: list(range(9))}
    assert ended(tmp_path) == 0
    assert trained(tmp_path) == {200_000: list(range(9)), 600_000: [3, 4, 8]}
    assert len(list(tmp_path.glob("*.trained"))) == 12
