"""A run that is killed again and again ends, bit for bit, as the run that is left alone."""

import os
import random
import signal
import time
from collections.abc import Callable

import pytest
import sklearn.linear_model  # noqa: F401 - so that no forked run has to
from matplotlib import figure  # noqa: F401 - likewise

from ebgan.runs import trainer
from ebgan.runs.trainer import write_report

from .conftest import Trained
from .killed_kinds import ELSEWHERE, OTHERS, TOYS

HOURS = 3 * 3600  # seconds
LONG = (pytest.mark.slow, pytest.mark.timeout(HOURS))


def killed_on_the_way(run, kills: int, delays: random.Random, longest: float) -> int:
    """Train to the end with kills at random moments, at most so many; how many there were."""
    for done in range(kills):
        child = run.start()
        time.sleep(delays.uniform(0, longest))
        os.kill(child.pid, signal.SIGKILL)
        code = child.end()
        assert code in (0, -signal.SIGKILL)
        if code == 0:
            return done
    assert run.start().end() == 0
    return kills


def assert_kills_leave_no_trace(new_run: Callable[[], Trained], kills: int) -> None:
    """Kill runs, each at most so often that all kills are made, and compare their ends with that of a whole run."""
    whole = new_run()
    begun = time.monotonic()
    assert whole.start().end() == 0
    longest, delays = time.monotonic() - begun, random.Random(0)
    while kills:
        run = new_run()
        kills -= killed_on_the_way(run, kills, delays, longest)
        assert run.digest() == whole.digest()


@pytest.mark.parametrize("kills", [5, pytest.param(200, marks=LONG)])
def test_every_run_that_was_killed_ends_as_the_one_that_was_not(experiment, a_run, kills: int) -> None:
    assert_kills_leave_no_trace(lambda: a_run(experiment), kills)


def assert_kind_survives(kind: str, a_run: Callable[..., Trained], kills: int) -> None:
    data = (None,) if kind in TOYS else ()
    assert_kills_leave_no_trace(lambda: a_run((TOYS | OTHERS)[kind], *data), kills)


@pytest.mark.parametrize("kind", [name for name in (*TOYS, *OTHERS) if name not in ELSEWHERE])
def test_no_objective_and_no_part_of_an_experiment_is_changed_by_a_kill(a_run, kind: str) -> None:
    assert_kind_survives(kind, a_run, 1)


@pytest.mark.slow
@pytest.mark.timeout(HOURS)
@pytest.mark.parametrize("kind", [*TOYS, *OTHERS])
def test_no_objective_and_no_part_of_an_experiment_is_changed_by_many_kills(a_run, kind: str) -> None:
    assert_kind_survives(kind, a_run, 200)


def test_a_run_with_its_reports_is_not_changed_by_kills(ebgan_pt, a_run, monkeypatch) -> None:
    monkeypatch.setattr(trainer, "write_report", write_report)
    assert_kills_leave_no_trace(lambda: a_run(ebgan_pt), 1)


@pytest.mark.slow
@pytest.mark.timeout(HOURS)
@pytest.mark.parametrize("kind", [*TOYS, *OTHERS])
def test_no_run_with_its_reports_is_changed_by_kills(a_run, kind: str, monkeypatch) -> None:
    monkeypatch.setattr(trainer, "write_report", write_report)
    assert_kind_survives(kind, a_run, 20)


def test_a_run_that_was_killed_within_a_save_goes_on_from_the_one_before(ebgan_pt, a_run, monkeypatch) -> None:
    sync, whole = os.fsync, a_run(ebgan_pt)
    assert whole.start().end() == 0
    for at in (3, 4, 6, 7):  # the first two times the config is written; then a checkpoint's content, and its folder

        def die(at: int = at) -> None:
            calls = iter(range(1, 100))
            monkeypatch.setattr(os, "fsync", lambda file: os.kill(os.getpid(), 9) if next(calls) == at else sync(file))

        run = a_run(ebgan_pt)
        assert run.start(die).end() == -signal.SIGKILL
        assert run.start().end() == 0
        assert run.digest() == whole.digest()
