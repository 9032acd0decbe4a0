"""The package of docs/extending.md, used as a stranger uses it from the command line: installed, or as one file."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ebgan.errors import UsageError

SHORT = ["--images", "640", "--evaluation.samples", "20", "--evaluation.grid", "4", "--device", "cpu"]
RUN_ALL = """
import json, sys
from ebgan.cli.main import run
for words in json.loads(sys.argv[1]):
    print("$", *words, flush=True)
    if code := run(words):
        sys.exit(code)
"""


def commands(recipe: str, grid: str, code: list[str]) -> list[list[str]]:
    """What a user does with a recipe and a grid."""
    return [
        ["train", recipe, "run", *SHORT],
        ["train", recipe, "run", *SHORT, "--images", "1280"],
        ["train", "run/config.yaml", "again", "--quiet", *code],
        ["sample", "run", "--count", "4", "--out", "pictures", *code],
        ["score", "run", "digits", "--csv", "scores.csv", *code],
        ["evaluate", "run", "--samples", "20", "--json", *code],
        ["report", "run"],
        ["calibrate", recipe, "--images", "128"],
        ["sweep", grid, "sweep", "--images", "64", "--limit", "2"],
        ["report", "sweep"],
    ]


def check(folder: Path, module: str, output: str) -> None:
    """Look at what the commands have left."""
    config = (folder / "run" / "config.yaml").read_text()
    assert f"type: {module.format('objectives')}:RelativeMargin\n  ratio: 2.0\n" in config
    assert f"type: {module.format('nets')}:PlainCoder\n    code: 32\n" in config
    checkpoints = {each.name for each in (folder / "run" / "checkpoints").iterdir()}
    assert "000000001280.ckpt" in checkpoints
    assert len(list((folder / "pictures").iterdir())) == 4
    assert len((folder / "scores.csv").read_text().splitlines()) == 1798
    assert '"metrics": {"i_usual":' in output
    assert (folder / "sweep" / "report.html").exists()


def environment(*folders: Path) -> dict[str, str]:
    paths = [*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}


def ended(command: list[str], folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, cwd=folder, env=variables, capture_output=True, text=True)


def done(command: list[str], folder: Path, variables: dict[str, str]) -> str:
    process = ended(command, folder, variables)
    assert process.returncode == 0, f"{command}: {process.stderr[-2000:]}"
    return process.stdout


@pytest.fixture
def file_of_the_docs(package_of_the_docs: Path) -> Path:
    """The package in one file, in a folder with a space in its name."""
    names = ("objectives", "nets", "recipes")
    parts = [(package_of_the_docs / "relative" / f"{name}.py").read_text("utf-8") for name in names]
    text = re.sub(r"^from relative.*\n", "", "\n".join(parts), flags=re.MULTILINE)
    file = package_of_the_docs.parent / "my code" / "mine.py"
    file.parent.mkdir()
    file.write_text(f"print('read')\n{text}", "utf-8")
    return file


def test_an_installed_package_trains_and_another_process_reads_its_run(
    package_of_the_docs: Path, tmp_path: Path
) -> None:
    first, *others = commands("relative.digits", "relative.ratios", [])
    others = [words for words in others if words[0] not in ("report", "calibrate") and "again" not in words]
    variables = environment(package_of_the_docs)
    output = ""
    for part in ([["recipes"], first], others):
        output += done([sys.executable, "-c", RUN_ALL, json.dumps(part)], tmp_path, variables)
    assert "\nrelative.digits  of the package relative\nrelative.ratios  of the package relative\n" in output
    check(tmp_path, "relative.{}", output)


def check_others(folder: Path, output: str) -> None:
    """Look at what the commands have left that the quick test leaves out."""
    assert (folder / "again" / "config.yaml").read_text() == (folder / "run" / "config.yaml").read_text()
    assert re.search(r"margin +[\d.]+ +suggested", output)


@pytest.mark.slow
def test_each_command_of_a_package_is_a_process(package_of_the_docs: Path, tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("ebgan"))
    variables = environment(package_of_the_docs)
    steps = commands("relative.digits", "relative.ratios", [])
    output = "".join(done([program, *words], tmp_path, variables) for words in steps)
    check(tmp_path, "relative.{}", output)
    check_others(tmp_path, output)


@pytest.mark.slow
def test_each_command_of_a_file_is_a_process(file_of_the_docs: Path, tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("ebgan"))
    steps = commands("my code/mine.py:digits", "my code/mine.py:ratios", ["--code", "my code/mine.py"])
    output = "".join(done([program, *words], tmp_path, environment()) for words in steps)
    check(tmp_path, "mine.py", output)
    check_others(tmp_path, output)
    assert (tmp_path / "run" / "code.txt").read_text() == f"{file_of_the_docs}\n"
    assert "read" not in output.split()
    without = ended([program, "sample", "run"], tmp_path, environment())
    assert without.returncode == UsageError.exit_code
    assert "give the file by --code mine.py, in Python by code='mine.py'" in without.stderr
    assert f"The run was made from {file_of_the_docs}\n" in without.stderr
