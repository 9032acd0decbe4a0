"""A run that is killed again and again ends, bit for bit, as the run that is left alone."""

import os
import random
import signal
import time

import pytest


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


@pytest.mark.parametrize("kills", [5, pytest.param(200, marks=pytest.mark.slow)])
def test_every_run_that_was_killed_ends_as_the_one_that_was_not(experiment, a_run, kills: int) -> None:
    whole = a_run(experiment)
    begun = time.monotonic()
    assert whole.start().end() == 0
    longest, delays = time.monotonic() - begun, random.Random(0)
    while kills:
        run = a_run(experiment)
        kills -= killed_on_the_way(run, kills, delays, longest)
        assert run.digest() == whole.digest()


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
