"""`ebgan sweep`: a plan, a run, a second start, a report, and what it refuses."""

import re
import sys
from pathlib import Path

import pytest

from ebgan.cli.main import run
from ebgan.cli.standing import line
from ebgan.sweeps import Standing, SweepStore

FEW = ["--scale", "tiny", "--limit", "3", "--images", "128"]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three trials of the grid, run by the command line for a moment."""
    out = tmp_path_factory.mktemp("sweeps") / "grid"
    assert run(["sweep", "mnist_grid.ebgan", str(out), *FEW]) == 0
    return out


def test_a_sweep_leaves_a_row_a_trial(swept: Path) -> None:
    with SweepStore(swept / "trials.sqlite") as store:
        rows = store.rows()
        assert [row.status for row in rows] == ["done"] * 3
        assert all(row.score is not None and row.fields["images"] == 128 for row in rows)
        facts = store.facts()
        assert facts.pop("data").count("digits") == 1
        assert facts == {"grid": "mnist_grid.ebgan", "scale": "tiny"}


def test_the_same_command_again_runs_nothing_and_a_plan_says_so(
    swept: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ebgan.sweeps.run.connected", None)  # nothing is to be connected to
    assert run(["sweep", "mnist_grid.ebgan", str(swept), *FEW]) == 0
    assert run(["sweep", "mnist_grid.ebgan", str(swept), *FEW, "--plan"]) == 0
    assert f"3 trials, 3 of them with a result in {swept}" in capsys.readouterr().out


def test_a_sweep_of_another_precision_is_of_other_trials(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = [*FEW, "--precision", "bf16"]
    assert run(["sweep", "mnist_grid.ebgan", str(swept), *few, "--plan"]) == 0
    assert f"3 trials, 0 of them with a result in {swept}" in capsys.readouterr().out


def test_a_plan_tells_stacks_and_time_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sweep"
    assert run(["sweep", "mnist_grid", str(out), "--scale", "tiny", "--plan"]) == 0
    said = capsys.readouterr().out
    assert "416 trials, 0 of them with a result" in said
    assert re.search(r"16 stacks of 2\n +16 stacks of 24\n", said)
    assert re.search(r"about .+ with 1 worker", said)
    assert not out.exists()


def test_a_plan_of_halving_tells_the_first_rung_and_those_to_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ebgan.cli.sweep_plan.seconds", lambda tasks, device: 20.0)
    out = tmp_path / "sweep"
    command = ["sweep", "mnist_grid.ebgan", str(out), "--scale", "tiny", "--limit", "9", "--halving", "3"]
    assert run([*command, "--plan"]) == 0
    said = capsys.readouterr().out
    assert f"9 trials of 284 images, 0 of them with a result in {out}\n" in said
    assert "then 2 rungs with the best one in 3, trained from the start\n" in said
    assert said.endswith("about 1 min 00 s with 1 worker on idle cores like this one\n")
    assert not out.exists()


def test_halving_runs_its_rungs_and_a_plan_then_says_that_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sweep"
    halving = ["--limit", "2", "--images", "128", "--halving", "2", "--rungs", "2"]
    command = ["sweep", "mnist_grid.ebgan", str(out), "--scale", "tiny", *halving]
    assert run(command) == 0
    with SweepStore(out / "trials.sqlite") as store:
        assert [(row.fields["images"], row.status) for row in store.rows()] == [(64, "done")] * 2 + [(128, "done")]
        assert store.facts()["halving"] == "1 of 2 goes on, 2 rungs"
    assert run([*command, "--plan"]) == 0
    said = capsys.readouterr().out
    assert f"2 trials of 64 images, 2 of them with a result in {out}\n1 trials of 128 images, 1 of them" in said


def test_report_draws_a_sweep(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(swept)]) == 0
    page = Path(capsys.readouterr().out.strip()).read_text("utf-8")
    assert "EBGAN, paper" in page


def test_trials_that_fail_are_told_in_a_table_and_by_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "sweep"

    def broken(*_: object, **__: object) -> list[str]:
        from ebgan.recipes import find_grid
        from ebgan.sweeps import Result

        trials = list(find_grid("mnist_grid.ebgan").make("tiny").trials())[:2]
        with SweepStore(out / "trials.sqlite") as store:
            store.expect(trials)
            store.finish({trial.id: Result("failed", error="no luck") for trial in trials})
        return [trial.id for trial in trials]

    monkeypatch.setattr("ebgan.sweeps.sweep", broken)
    assert run(["sweep", "mnist_grid.ebgan", str(out), *FEW]) == 1
    said = capsys.readouterr()
    assert said.out.count("no luck") == 2
    assert "2 trials failed, all others have their results" in said.err


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["sweep", "mnist_gird"], 2, "did you mean mnist_grid"),
        (["sweep", "mnist_grid", "--workers", "0"], 2, "--workers 0: expected at least 1"),
        (["sweep", "mnist_grid", "--limit", "0"], 2, "--limit 0: expected at least 1"),
        (["sweep", "mnist_grid", "--halving", "1"], 2, "--halving 1: expected at least 2"),
        (["sweep", "mnist_grid", "--halving", "3", "--rungs", "1"], 2, "--rungs 1: expected at least 2"),
        (["sweep", "mnist_grid", "--rungs", "4"], 2, "--rungs 4: needs --halving"),
        (["sweep", "mnist_grid", "--slurm", "--scheduler", "tcp://x:1"], 2, "give only one of them"),
        (["sweep", "mnist_grid", "--slurm", "--device", "gpu"], 2, "--device gpu: no such kind of device"),
        (["sweep", "mnist_grid", "--halving", "3", "--limit", "8"], 2, "needs 9 trials, and here are 8"),
        (["sweep", "mnist_grid", "--scale", "large"], 2, "--scale"),
        (["sweep", "mnist_grid.ebgan", "--scale", "tiny", "--data", "nowhere"], 3, "nowhere"),
        (["train", "mnist_grid"], 2, "`ebgan sweep mnist_grid OUT` runs it"),
    ],
)
def test_a_wrong_command_gets_one_line_and_its_exit_code(
    command: list[str],
    code: int,
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(command) == code
    assert words in capsys.readouterr().err


def test_a_device_of_a_cluster_need_not_be_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    command = ["sweep", "mnist_grid.ebgan", str(tmp_path), *FEW, "--slurm", "--device", "cuda"]
    assert run(command) == 2
    assert "--slurm: needs dask-jobqueue" in capsys.readouterr().err
    assert run([*command, "--plan"]) == 0
    assert "can be estimated only on a machine with a cuda device" in capsys.readouterr().out


def test_the_line_tells_all_that_there_is_to_tell() -> None:
    assert line(Standing(6656, 120, 3, 1, 48, ("abc", 1.9876), 1234.5, 7260.0)) == (
        "120 of 6,656 done, 3 of them diverged, 1 failed, 48 running, 1,234 an hour, 2 h 01 min left, best 1.988 (abc)"
    )
    assert line(Standing(5, 0, 0, 0, 2, None, 0.0, None)) == "0 of 5 done, 2 running"
