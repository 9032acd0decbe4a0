"""Words of the command line that name a Python file."""

from pathlib import Path

import pytest

from ebgan.cli.main import run
from ebgan.cli.sweep import grid_name
from ebgan.cli.train import experiment_name
from ebgan.errors import UsageError

READERS = [["sample", "run"], ["score", "run", "x"], ["evaluate", "run"], ["chain", "run"], ["classify", "run", "x"]]
MAKERS = [["train", "digits", "out"], ["calibrate", "digits"]]


@pytest.mark.parametrize("words", READERS + MAKERS, ids=lambda words: words[0])
@pytest.mark.parametrize("option", [["--code", "bad.py"], ["--code=bad.py"], ["--code", "good.py", "--code", "bad.py"]])
def test_every_verb_that_reads_a_config_loads_the_given_code(
    folder_of_code: Path, capsys: pytest.CaptureFixture[str], words: list[str], option: list[str]
) -> None:
    (folder_of_code / "good.py").touch()
    (folder_of_code / "bad.py").write_text("\n1 / 0\n")
    assert run([*words, *option]) == UsageError.exit_code
    assert capsys.readouterr().err == f"ebgan: {folder_of_code}/bad.py, line 2: ZeroDivisionError: division by zero\n"


def test_a_file_gives_a_folder_its_name() -> None:
    assert experiment_name("some/where/mine.py:make") == "mine.make"
    assert grid_name("some/where/mine.py:grid") == "mine.grid"
    assert grid_name("margins") == "margins"


def test_a_function_after_the_folder_is_told_to_come_first(
    folder_of_code: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "out", "mine.py:make"]) == UsageError.exit_code
    assert "the recipe comes first: `ebgan train mine.py:make out`" in capsys.readouterr().err


def test_a_field_that_no_config_can_keep_is_refused_before_training(
    folder_of_code: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder_of_code / "mine.py").write_text(
        "from dataclasses import dataclass, field\n"
        "from ebgan import Experiment\n"
        "from ebgan.objectives import Objective, Stateless\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Odd(Objective[Stateless]):\n"
        "    sizes: list[int] = field(default_factory=lambda: [1, 2])\n"
        "    def discriminator(self, state, real, fake, batch): ...\n"
        "    def generator(self, state, fake, sample): ...\n"
        "def make(): return Experiment(objective=Odd())\n"
    )
    assert run(["train", "mine.py:make", "out", "--device", "cpu"]) == UsageError.exit_code
    said = capsys.readouterr().err
    assert "objective.sizes" in said
    assert not (folder_of_code / "out").exists()
