"""A sweep whose trials.sqlite another hand has changed: the report is made, and names the rows that it passes over."""

import json
import sqlite3
from pathlib import Path

import pytest

from ebgan.cli.main import run as command
from ebgan.experiment import Experiment
from ebgan.sweeps import Grid
from ebgan.sweeps.driver import standing
from ebgan.sweeps.store import SweepStore
from ebgan.sweeps.training import Result

CELLS = {
    "fields": [
        *("{", "null", "[1]", "5", '"text"', "{}", b"\xff", "[" * 100_000, '{"images": ' + "9" * 5_000 + "}"),
        json.dumps({"objective.type": 5, "images": 12}),
        json.dumps({"objective.type": "EBGAN", "images": "many"}),
        json.dumps({"objective.type": "EBGAN", "images": True}),
        json.dumps({"objective.type": "EBGAN", "images": 12, "nets.generator.depth": "four"}),
        json.dumps({"objective.type": "EBGAN", "images": 12, "optimisers.discriminator.lr": None}),
        json.dumps({"objective.type": "EBGAN", "images": 12, "objective.margin": {"a": 1}}),
        '{"objective.type": "EBGAN", "images": 12, "objective.margin": Infinity}',
    ],
    "metrics": ["{", "null", "[]", '{"i_usual": null}', '{"i_usual": "high"}', '{"i_usual": NaN}', '{"i_usual": [1]}'],
    "score": ["high", b"\x00", float("inf"), -float("inf")],
    "seconds": ["long", float("inf"), -1.0],
    "images_per_second": ["fast", float("inf")],
    "status": ["finished", b"done", 7],
    "error": [b"\xff"],
    "id": [b"\xff"],
}
HARMLESS = {
    "picture": ["text", 5, b"no picture"],
    "config": ["no config", b"\xff"],
    "place": ["first", None, 1e300],
    "finished": ["late"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sweep of three trials, all done."""
    with SweepStore(tmp_path / "trials.sqlite") as store:
        store.expect(Grid(base=Experiment(images=12), axes={"seed": [0, 1, 2]}).trials())
        found = {
            row.id: Result("done", 1.0 + place, {"i_usual": 1.0, "i_usual_real": 2.0}, 3.0, 4.0, b"")
            for place, row in enumerate(store.rows())
        }
        store.finish(found)
    return tmp_path


def tamper(folder: Path, column: str, value: object) -> str:
    """Put a value into the first trial's row; that trial."""
    with sqlite3.connect(folder / "trials.sqlite") as file:
        (trial,) = file.execute("SELECT id FROM trials ORDER BY place LIMIT 1").fetchone()
        file.execute(f"UPDATE trials SET {column} = ? WHERE id = ?", (value, trial))
    file.close()
    return str(trial)


def test_every_cell_that_makes_no_sense_is_named_and_the_others_are_reported(folder: Path, caplog) -> None:
    untouched = (folder / "trials.sqlite").read_bytes()
    for column, values in CELLS.items():
        for value in values:
            caplog.clear()
            (folder / "trials.sqlite").write_bytes(untouched)
            tamper(folder, column, value)
            with SweepStore(folder / "trials.sqlite") as store:
                assert len(store.rows()) == 2, (column, value)
                assert standing(store).trials == 3
                assert store.scores()
            assert f"its {column}" in caplog.text, (column, value)
            assert "is ignored" in caplog.text


@pytest.mark.parametrize("column", [*CELLS, *HARMLESS])
def test_the_report_of_a_tampered_sweep_is_made(folder: Path, column: str) -> None:
    tamper(folder, column, (CELLS | HARMLESS)[column][0])
    assert command(["report", str(folder)]) == 0
    assert "<html" in (folder / "report.html").read_text()


def test_cells_that_no_table_reads_are_no_reason_to_pass_a_row_over(folder: Path) -> None:
    for column, values in HARMLESS.items():
        for value in values:
            tamper(folder, column, value)
            with SweepStore(folder / "trials.sqlite") as store:
                assert len(store.rows(store.finished())) == 3
    assert command(["report", str(folder)]) == 0


def test_facts_that_are_no_text_are_left_out(folder: Path) -> None:
    with sqlite3.connect(folder / "trials.sqlite") as file:
        file.execute("INSERT INTO facts VALUES (?, ?)", (b"\xff", b"\xfe"))
    file.close()
    with SweepStore(folder / "trials.sqlite") as store:
        assert store.facts() == {}
    assert command(["report", str(folder)]) == 0
