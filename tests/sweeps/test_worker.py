"""Trials with classes of the user's own reach a worker as text, with the files that define the classes."""

import sys
from pathlib import Path

import pytest

from ebgan.errors import UsageError
from ebgan.experiment import Experiment
from ebgan.sweeps import Result
from ebgan.sweeps.worker import run_from_text
from ebgan.user_code import load_file

CLASS = """
from dataclasses import dataclass
from ebgan.objectives import Objective, Stateless

@dataclass(frozen=True, kw_only=True)
class Worked(Objective[Stateless]):
    margin: float = 1.0
    def discriminator(self, state, real, fake, batch): ...
    def generator(self, state, fake, sample): ...
"""


def margins(experiments: list[Experiment], device: str) -> list[Result]:
    """A runner that trains nothing."""
    return [Result("done", score=each.objective.margin, error=device) for each in experiments]


def test_a_worker_loads_the_files_and_reads_the_trials(folder_of_code: Path) -> None:
    file = folder_of_code / "mine.py"
    file.write_text(CLASS)
    texts = [Experiment(objective=load_file(file).Worked(margin=margin)).to_yaml() for margin in (2.0, 3.0)]
    del sys.modules["mine.py"]  # as in a process of its own
    results = run_from_text(margins, texts, [file], "cpu")
    assert [(each.score, each.error) for each in results] == [(2.0, "cpu"), (3.0, "cpu")]


def test_a_file_that_is_not_on_the_machine_of_the_worker_is_named(folder_of_code: Path) -> None:
    with pytest.raises(UsageError, match=r"elsewhere.py: there is no such file"):
        run_from_text(margins, [], [folder_of_code / "elsewhere.py"], "cpu")
