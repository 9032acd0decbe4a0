"""Table 2 at its smallest: every cell is a run, and the table says what the runs say."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ebgan.experiment import Experiment
from ebgan.recipes import cells, find, table2
from ebgan.recipes.claims import Request
from ebgan.runfolder import RunFolder, append_record, read_records
from ebgan.sweeps import Result, plan


def test_the_papers_gains_are_those_that_it_prints() -> None:
    ladder, ebgan_ln = table2.PAPER.values()
    gains = [100 * (1 - ebgan_ln[labels][0] / ladder[labels][0]) for labels in (100, 200, 1000)]
    assert gains == pytest.approx([23.5, 20.2, 14.4], abs=0.05)


def test_the_table_holds_the_errors_of_its_runs(tmp_path: Path) -> None:
    said: list[str] = []
    findings = table2.reproduce(Request("tiny", tmp_path, said.append, labels=(100,)))
    (rows,) = findings.tables.values()
    errors = [
        100 * read_records(tmp_path / f"{name}-100-0" / "evaluations.jsonl")[-1]["metrics"]["test_error"]
        for name in ("ladder-network", "ebgan-ln")
    ]
    assert rows[1] == ["100", f"{errors[0]:.2f}", "1.36 +- 0.21", f"{errors[1]:.2f}", "1.04 +- 0.12"]
    assert findings.claims[0].holds == (errors[1] < errors[0])
    assert len(said) == 2


def test_the_papers_scale_is_that_of_the_recipes_with_each_seed_its_own() -> None:
    for kind, steps in (("Ladder network", 120_000), ("EBGAN-LN", 180_000)):
        made = table2.experiment_of(kind, 200, 7, "paper")
        assert (made.images, made.labelled.count, made.seed) == (steps * 100, 200, 7)
    assert table2.SIZES["paper"].seeds == 15


def test_a_quarter_of_the_steps_is_a_recipe_whose_run_the_table_takes_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, recipe in (("Ladder network", "ladder_quarter"), ("EBGAN-LN", "ebgan_ln_quarter")):
        made = find(f"semisupervised_mnist.{recipe}").make()
        assert made == table2.experiment_of(kind, 100, 0, "cpu")
    assert made.images == 4_500_000
    assert made.objective.inner.schedules["margin"].finish == 1_500_000
    trained: dict[str, Experiment] = {}

    def train(made: Experiment, out: Path) -> SimpleNamespace:
        trained[out.name] = made
        out.mkdir()
        append_record(RunFolder(out).evaluations, {"images": 1, "metrics": {"test_error": 0.05 / len(trained)}})
        return SimpleNamespace(folder=RunFolder(out))

    monkeypatch.setattr(cells, "train", train)
    monkeypatch.setattr(cells, "planned", lambda trials, device: [])
    findings = table2.reproduce(Request("cpu", tmp_path, lambda text: None))
    assert trained["ladder-network-100-0"] == find("semisupervised_mnist.ladder_quarter").make()
    assert trained["ebgan-ln-100-0"] == made
    assert (findings.claims[0].measured, findings.claims[0].holds) == ("5.00 and 2.50", True)


def test_seeds_and_labels_are_one_stack_where_the_planner_says_that_it_pays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacks: list[int] = []

    def run_trials(experiments: list[Experiment], device: torch.device) -> list[Result]:
        stacks.append(len(experiments))
        return [Result("done", metrics={"test_error": each.labelled.count / 1e4}) for each in experiments]

    monkeypatch.setattr(plan, "PAYS_EACH", 10**9)
    monkeypatch.setattr(plan, "PAYS_MOST", 10**9)
    monkeypatch.setattr(plan, "CPU_MEMORY", 1 << 40)
    monkeypatch.setattr(cells, "run_trials", run_trials)
    asked = Request("tiny", tmp_path, lambda text: None, seeds=3, labels=(100, 200))
    (rows,) = table2.reproduce(asked).tables.values()
    assert stacks == [6, 6]  # the Ladder networks, and EBGAN-LN
    assert [row[:2] for row in rows[1:]] == [["100", "1.00 +- 0.00"], ["200", "2.00 +- 0.00"]]
    assert not (tmp_path / "ebgan-ln-100-0").exists()
    table2.reproduce(asked)
    assert stacks == [6, 6]
