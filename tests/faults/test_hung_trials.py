"""A trial that hangs is ended with its worker, tried once more and then failed; the others have their results."""

import os
import signal
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
import torch

from ebgan.errors import UsageError
from ebgan.experiment import Experiment
from ebgan.sweeps import Grid, Result, SweepStore, sweep
from ebgan.sweeps.hangs import FACTOR, LEAST, Patience
from ebgan.sweeps.plan import planned, seconds

from .sweep_driver import GRID, score

HUNG = 1  # the seed that hangs
PAIR = Grid(base=GRID.base, axes={"seed": (0, HUNG)})


def hanging(folder: str, experiments: Sequence[Experiment], device: str) -> list[Result]:
    """One seed waits for a lock that nobody opens; each try leaves the seeds of its task and its process id."""
    seeds = [experiment.seed for experiment in experiments]
    (Path(folder) / f"{seeds} in {os.getpid()}.try").touch()
    if HUNG in seeds:
        threading.Lock().acquire() and threading.Event().wait()
    return [Result("done", score(experiment)) for experiment in experiments]


def stopping(folder: str, experiments: Sequence[Experiment], device: str) -> list[Result]:
    """The process of the first try of one seed is stopped, as by `kill -STOP`."""
    (Path(folder) / f"{os.getpid()}.try").touch()
    if HUNG in [experiment.seed for experiment in experiments] and len(list(Path(folder).glob("*.try"))) == 1:
        time.sleep(0.2)  # until the driver has heard of the beginning
        os.kill(os.getpid(), signal.SIGSTOP)
    return [Result("done", score(experiment)) for experiment in experiments]


def rows_of(out: Path) -> dict[int, tuple[str, str]]:
    with SweepStore(out / "trials.sqlite") as store:
        return {row.fields["seed"]: (row.status, row.error) for row in store.rows()}


def test_a_hung_trial_is_tried_twice_alone_then_failed_and_spoils_no_other(tmp_path: Path) -> None:
    failed = sweep(PAIR, tmp_path, runner=partial(hanging, str(tmp_path)), trial_timeout=0.5 / 60)
    rows = rows_of(tmp_path)
    assert rows[0] == ("done", "")
    assert rows[HUNG][0] == "failed"
    assert rows[HUNG][1].startswith("it hung: no end after ")
    assert "2 times" in rows[HUNG][1]
    assert "--trial-timeout" in rows[HUNG][1]
    assert len(failed) == 1
    tries = sorted(path.stem for path in tmp_path.glob("*.try"))
    assert [each.split(" in ")[0] for each in tries] == ["[0, 1]", "[0]", "[1]", "[1]"]
    hung = [Path("/proc", each.split(" in ")[1]) for each in tries if str(HUNG) in each.split(" in ")[0]]
    assert len(set(hung)) == 3  # each in a process of its own
    assert not any(map(Path.exists, hung))


@pytest.mark.slow  # three worker processes
def test_a_worker_that_is_stopped_is_replaced_and_its_trial_ends_well(tmp_path: Path) -> None:
    alone = Grid(base=GRID.base, axes={"seed": (HUNG,)})
    assert sweep(alone, tmp_path, runner=partial(stopping, str(tmp_path)), trial_timeout=1 / 60) == []
    assert rows_of(tmp_path) == {HUNG: ("done", "")}
    assert len(list(tmp_path.glob("*.try"))) == 2


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_that_is_no_time_is_refused_before_anything_is_written(tmp_path: Path, minutes: float) -> None:
    with pytest.raises(UsageError, match="--trial-timeout"):
        sweep(PAIR, tmp_path / "out", trial_timeout=minutes)
    assert not (tmp_path / "out").exists()


def test_the_limit_follows_from_the_planned_time_and_from_what_others_took() -> None:
    cpu = torch.device("cpu")
    (task,) = planned([next(iter(GRID.trials()))], cpu)
    patience = Patience(None, "cpu")
    assert not patience.is_over(task, LEAST)
    planned_time = seconds([task], cpu)
    assert patience.is_over(task, 2 * LEAST + 10 * FACTOR * planned_time)
    assert "of training was expected" in patience.reason(task, 10 * LEAST)
    patience.learn(task, 10 * LEAST)
    assert not patience.is_over(task, 9 * FACTOR * LEAST)
    assert patience.is_over(task, 12 * FACTOR * LEAST)


def test_without_anything_to_expect_there_is_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    (task,) = planned([next(iter(GRID.trials()))], torch.device("cpu"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    patience = Patience(None, "cuda")
    assert not patience.is_over(task, 1e9)
    patience.learn(task, 1.0)
    assert patience.is_over(task, 1e9)
