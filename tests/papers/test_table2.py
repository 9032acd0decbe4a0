"""Table 2 at its smallest: every cell is a run, and the table says what the runs say."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ebgan.errors import DivergedError
from ebgan.experiment import Experiment
from ebgan.recipes import find
from ebgan.reproductions.claims import Request
from ebgan.reproductions.labels import cell_runs, table2
from ebgan.storage.runfolder import RunFolder, append_record, read_records
from ebgan.sweeps import Result, plan

RECIPES = ("ladder_quarter", "ebgan_ln_quarter", "ladder_control_quarter")


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
        for name in ("ladder-network", "ebgan-ln", "ebgan-ln-without-generator")
    ]
    ours = [f"{error:.2f}" for error in errors]
    assert rows[1] == ["100", ours[0], "1.36 +- 0.21", ours[1], "1.04 +- 0.12", ours[2]]
    assert [claim.measured for claim in findings.claims] == [f"{ours[at]} falls to {ours[1]}" for at in (0, 2)]
    assert [claim.holds for claim in findings.claims] == [None, None]  # one seed
    assert len(said) == 3


def test_a_seed_that_diverged_costs_no_other_its_place_and_other_labels_have_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(made: Experiment, out: Path) -> SimpleNamespace:
        if made.seed == 1:
            raise DivergedError(f"{out}: diverged")
        out.mkdir(exist_ok=True)
        append_record(RunFolder(out).evaluations, {"images": 1, "metrics": {"test_error": 0.05}})
        return SimpleNamespace(folder=RunFolder(out))

    monkeypatch.setattr(cell_runs, "train", train)
    monkeypatch.setattr(cell_runs, "planned", lambda trials, device: [])
    findings = table2.reproduce(Request("cpu", tmp_path, lambda text: None, labels=(500,), seeds=3))
    (rows,) = findings.tables.values()
    known = "5.00 +- 0.00, 1 of 3 diverged"
    assert rows[1] == ["500", known, "", known, "", known]
    assert findings.claims[0].expected == "falls"


def test_the_papers_scale_is_that_of_the_recipes_with_each_seed_its_own() -> None:
    for kind, steps in (("Ladder network", 120_000), ("EBGAN-LN", 180_000)):
        made = table2.experiment_of(kind, 200, 7, "paper")
        assert (made.images, made.labelled.count, made.seed) == (steps * 100, 200, 7)
    assert table2.SIZES["paper"].seeds == 15


def test_a_quarter_of_the_steps_is_a_recipe_whose_run_the_table_takes_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes = {recipe: find(f"semisupervised_mnist.{recipe}").make() for recipe in RECIPES}
    assert list(recipes.values()) == [table2.experiment_of(kind, 100, 0, "cpu") for kind in table2.KINDS]
    made = recipes["ebgan_ln_quarter"]
    assert made.images == 4_500_000
    assert made.objective.inner.schedules["margin"].finish == 1_500_000
    trained: dict[str, Experiment] = {}

    def train(made: Experiment, out: Path) -> SimpleNamespace:
        trained[out.name] = made
        out.mkdir()
        append_record(RunFolder(out).evaluations, {"images": 1, "metrics": {"test_error": 0.05 / len(trained)}})
        return SimpleNamespace(folder=RunFolder(out))

    monkeypatch.setattr(cell_runs, "train", train)
    monkeypatch.setattr(cell_runs, "planned", lambda trials, device: [])
    findings = table2.reproduce(Request("cpu", tmp_path, lambda text: None))
    assert trained["ladder-network-100-0"] == find("semisupervised_mnist.ladder_quarter").make()
    assert trained["ebgan-ln-100-0"] == made
    assert trained["ebgan-ln-without-generator-100-0"] == recipes["ladder_control_quarter"]
    measured = [(claim.measured, claim.holds) for claim in findings.claims]
    assert measured == [("5.00 falls to 2.50", None), ("1.67 falls to 2.50", None)]


def test_the_control_is_ebgan_ln_with_no_turn_for_the_generator() -> None:
    whole, control = (table2.experiment_of(kind, 100, 2, "paper") for kind in ("EBGAN-LN", table2.CONTROL))
    assert (control.images, control.optimisers, control.seed) == (whole.images, whole.optimisers, whole.seed)
    assert control.turns.generator == 0


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
    monkeypatch.setattr(cell_runs, "run_trials", run_trials)
    asked = Request("tiny", tmp_path, lambda text: None, seeds=3, labels=(100, 200))
    (rows,) = table2.reproduce(asked).tables.values()
    assert stacks == [6, 6, 6]  # the Ladder networks, EBGAN-LN, and EBGAN-LN without its generator
    assert [row[:2] for row in rows[1:]] == [["100", "1.00 +- 0.00"], ["200", "2.00 +- 0.00"]]
    assert not (tmp_path / "ebgan-ln-100-0").exists()
    table2.reproduce(asked)
    assert stacks == [6, 6, 6]
