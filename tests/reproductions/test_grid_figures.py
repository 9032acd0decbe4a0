"""Figures of the grid search, from a sweep whose trials have their results: figure 4 alone trains, its EBGAN-PT."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.errors import UsageError
from ebgan.recipes import find_grid
from ebgan.recipes.margins import MARGINS, margins
from ebgan.report import png
from ebgan.reproductions.claims import Findings, Request
from ebgan.reproductions.grid.best import figure4
from ebgan.reproductions.grid.figures import figure2, figure3
from ebgan.reproductions.grid.margins import figure9
from ebgan.reproductions.grid.table1 import reproduce as table1
from ebgan.storage.runfolder import SweepFolder
from ebgan.sweeps import Result, SweepStore, Trial
from ebgan.sweeps.plan import chosen

PICTURE = png(Image.fromarray(np.full((38, 38), 99, np.uint8)))


def result(trial: Trial) -> Result:
    """EBGANs get further the deeper their generator is, GANs nowhere by SGD."""
    experiment = trial.experiment
    kind, moved = type(experiment.objective).__name__, type(experiment.optimisers.generator).__name__
    score = experiment.nets.generator.depth / 4 + 0.4 if kind == "EBGAN" else 0.3 * (moved == "Adam")  # type: ignore[attr-defined]
    return Result("done", score, {"i_usual": score, "i_usual_real": 2.2, "energy_real": 1.0}, 1.0, 1.0, PICTURE)


def filled(name: str, out: Path, limit: int | None = None) -> Request:
    """A request whose folder has all results of a grid at scale tiny, or those of a random subset."""
    with SweepStore(SweepFolder(out).trials) as store:
        trials = chosen(list(find_grid(name).make("tiny").trials()), limit, 0)
        store.state(grid=name, scale="tiny")
        store.expect(trials)
        store.finish({trial.id: result(trial) for trial in trials})
    return Request("tiny", out, lambda _: None, limit=limit)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Request:
    return filled("mnist_grid", tmp_path_factory.mktemp("grid"))


def measured(findings: Findings) -> dict[str, tuple[str, bool | None]]:
    return {claim.claim: (claim.measured, claim.holds) for claim in findings.claims}


def test_figure_2_compares_the_shares_of_both_families_with_the_papers(asked: Request) -> None:
    found = figure2(asked)
    claims = measured(found)
    assert claims["I' under 0.23: fewer EBGANs than GANs"] == ("0.0 % and 50.0 %", True)
    assert claims["I' above 1.0: more EBGANs than GANs"] == ("50.0 % and 0.0 %", True)
    assert claims["I' above 1.5: more EBGANs than GANs"] == ("0.0 % and 0.0 %", None)
    assert claims["EBGANs with I' above half of real digits', 1.10"] == ("50.0 %", True)
    (title,) = found.tables
    assert title == "shares, 416 of the grid's 416 trials"
    heading, failed, *_ = found.tables[title]
    assert heading[0::2] == ["", "EBGAN, paper", "GAN, paper"]
    assert [name.split(", n = ")[0] for name in heading[1::2]] == ["EBGAN", "GAN"]
    assert failed[:1] + [cell.split(" (")[0] for cell in failed[1:]] == [
        "failed: I' under 0.23",
        "0 %",
        "62 %",
        "50 %",
        "91 %",
    ]


def test_bounds_are_told_as_parts_of_the_real_images_score_too(asked: Request) -> None:
    (rows,) = figure2(asked).tables.values()
    lines = {row[0]: row[1:] for row in rows}
    assert lines["I' above 43 % of the real images', 0.96"][1::2] == ["20 %", "0 %"]


def test_figure_3_has_a_panel_for_each_of_the_twelve_pairs(asked: Request) -> None:
    found = figure3(asked)
    (rows,) = found.tables.values()
    assert len(rows) == 1 + 12
    assert rows[1] == ["D Adam, G Adam, lr 0.01", "32", "0.0 %", "0.300", "0.300"]
    assert [claim.measured for claim in found.claims] == ["6 of 12, 416 of the grid's 416 trials"]
    assert [claim.holds for claim in found.claims] == [None]  # neither family fails in six pairs
    assert found.pictures["figure3"].height > 3 * found.pictures["figure3"].width / 4


def test_figure_3_without_any_ebgan_compares_nothing(tmp_path: Path) -> None:
    found = figure3(filled("mnist_grid", tmp_path, limit=3))  # which draws none
    assert found.claims == []
    assert "figure3" in found.pictures


def test_figure_4_shows_the_best_of_both_and_the_pulling_away_term(asked: Request) -> None:
    found = figure4(asked)
    (rows,) = found.tables.values()
    assert rows[0][:4] == ["family", "I'", "nLayerG", "nLayerD"]
    assert rows[1][:3] == ["EBGAN", "1.400", "4"]
    assert rows[-1] == ["GAN, paper", "", "5", "2", "1600", "1024", "0.0", "SGD", "SGD", "0.01"]
    assert [(claim.measured, claim.holds) for claim in found.claims] == [("1.40 and 0.30", None)]
    assert found.pictures["figure4"].width > 3 * 300


def test_a_part_of_the_grid_is_told_as_a_part(tmp_path: Path) -> None:
    found = figure2(filled("mnist_grid", tmp_path, limit=20))
    assert list(found.tables) == ["shares, 20 of the grid's 416 trials"]


def test_trials_that_failed_are_told_and_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    asked = filled("mnist_grid", tmp_path)._replace(note=heard.append)
    with SweepStore(SweepFolder(tmp_path).trials) as store:
        lost = store.rows()[-1].id
        store._file.execute(
            "UPDATE trials SET status = 'failed', score = NULL, error = 'no memory' WHERE id = ?", (lost,)
        )
    monkeypatch.setattr("ebgan.reproductions.grid.study.sweep", lambda *_, **__: None)
    assert list(figure2(asked).tables) == ["shares, 415 of the grid's 416 trials (1 failed)"]
    assert heard == [f"{lost} failed: no memory"]


def test_a_grid_of_which_all_diverged_has_no_figure_and_no_claim(tmp_path: Path) -> None:
    asked = filled("mnist_grid", tmp_path)
    with SweepStore(SweepFolder(tmp_path).trials) as store:
        store._file.execute("UPDATE trials SET status = 'diverged', score = NULL, metrics = '{}'")
    for figure in (figure2, figure3):
        assert figure(asked).pictures == {}
    assert figure2(asked).claims == []


def test_a_folder_that_was_halved_is_refused(tmp_path: Path) -> None:
    asked = filled("mnist_grid", tmp_path, limit=20)
    with SweepStore(SweepFolder(tmp_path).trials) as store:
        store.state(grid="mnist_grid", scale="tiny", halving="1 of 3 goes on, 3 rungs")
    with pytest.raises(UsageError, match="holds a sweep with halving"):
        figure2(asked)


def test_the_folder_of_another_sweep_is_refused(asked: Request, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="holds the sweep mnist_grid --scale tiny; choose another folder, or its scale"
    ):
        figure2(asked._replace(scale="cpu"))
    other = filled("margins", tmp_path)
    with pytest.raises(UsageError, match="holds the sweep margins"):
        figure3(other)


@pytest.mark.parametrize("scale", ["tiny", "paper"])
def test_table_1_is_counted(scale: str, tmp_path: Path) -> None:
    found = table1(Request(scale, tmp_path, lambda _: None))  # type: ignore[arg-type]
    assert [claim.holds for claim in found.claims] == [scale != "tiny"] * 2
    (rows,) = found.tables.values()
    if scale == "paper":
        assert ["sizeG", "400, 800, 1600, 3200 (128 each)", "400, 800, 1600, 3200 (1,536 each)"] in rows
        assert ["lr", "0.001 (512 each)", "0.01, 0.001, 0.0001 (2,048 each)"] in rows
    assert not list(tmp_path.iterdir())


def test_a_margin_that_diverged_is_an_end_all_the_same(tmp_path: Path) -> None:
    asked = filled("margins", tmp_path)
    with SweepStore(SweepFolder(tmp_path).trials) as store:
        last = store.rows()[-1].id
        store._file.execute("UPDATE trials SET status = 'diverged', score = NULL WHERE id = ?", (last,))
    (claim,) = figure9(asked).claims
    assert claim.measured.endswith("and 0.00 at the ends")


def test_figure_9_has_a_row_and_a_picture_for_each_margin(tmp_path: Path) -> None:
    found = figure9(filled("margins", tmp_path))
    (rows,) = found.tables.values()
    assert [float(row[0]) for row in rows[1:]] == [margin / 4 for margin in MARGINS]
    assert rows[1][rows[0].index("energy_real")] == "1"
    assert found.pictures["figure9"].width > 4 * 300


@pytest.mark.parametrize("scale", ["cpu", "paper"])
def test_margins_are_the_papers_and_all_that_differs(scale: str) -> None:
    made = [trial.experiment for trial in margins(scale).trials()]  # type: ignore[arg-type]
    assert [each.objective.margin for each in made] == list(MARGINS)  # type: ignore[attr-defined]
    assert len({(each.nets, each.images, each.data, each.optimisers) for each in made}) == 1
    assert made[0].nets.generator.width == (1600 if scale == "paper" else 800)  # type: ignore[attr-defined]
