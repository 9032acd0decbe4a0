"""Table 2 at its smallest: every cell is a run, and the table says what the runs say."""

from pathlib import Path

import pytest

from ebgan.recipes import table2
from ebgan.recipes.claims import Request
from ebgan.runfolder import read_records


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
