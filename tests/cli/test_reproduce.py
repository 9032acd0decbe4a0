from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.cli.main import run
from ebgan.recipes import find_grid
from ebgan.report import png
from ebgan.reproductions.index import REPRODUCTIONS
from ebgan.storage.runfolder import SweepFolder
from ebgan.sweeps import Result, SweepStore
from ebgan.sweeps.plan import chosen

FEW = 30  # trials
DOCS = Path(__file__).parents[2] / "docs"


def test_without_a_name_all_that_can_be_reproduced_is_listed(capsys):
    assert run(["reproduce"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(REPRODUCTIONS)
    assert all(each.source in line for each, line in zip(REPRODUCTIONS.values(), lines, strict=True))


def swept(name: str, folder: Path) -> list[str]:
    """The folder of a sweep with results, for a figure that is drawn of one, and the options that ask for no more."""
    grids = {"figure2": "mnist_grid", "figure3": "mnist_grid", "figure4": "mnist_grid", "figure9": "margins"}
    if name not in grids:
        return []
    trials = chosen(list(find_grid(grids[name]).make("tiny").trials()), FEW, 0)
    picture = png(Image.fromarray(np.full((38, 38), 99, np.uint8)))
    with SweepStore(SweepFolder(folder).trials) as store:
        store.state(grid=grids[name], scale="tiny")
        store.expect(trials)
        measures = {"i_usual": 1.0, "i_usual_real": 2.0}
        store.finish({trial.id: Result("done", 1.0, measures, 1.0, 1.0, picture) for trial in trials})
    return ["--limit", str(FEW)]


@pytest.mark.parametrize("name", REPRODUCTIONS)
def test_each_prints_every_claim_and_its_tables_and_draws_its_pictures(name, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "ebgan.runs.trainer.write_report", lambda folder: None
    )  # of each run, which takes longer than it
    assert run(["reproduce", name, str(tmp_path), "--scale", "tiny", *swept(name, tmp_path)]) == 0
    said, notes = capsys.readouterr()
    if name in ("figure3_vgan", "figure4_vgan", "figure5_vgan", "table2_vgan"):
        assert "digits, rho 0" in notes
        assert not any(each in notes for each in ("mnist,", "svhn,", "mnist:", "svhn:"))
    if name == "figure2_vgan":
        assert "no claims: the paper makes none about these pictures" in said
        assert "holds" not in said
    else:
        assert {"claim", "expected", "measured", "holds", "by"} <= set(said.split())
        assert "not judged" in said
    assert not {"yes", "no"} & {cell.strip() for cell in said.split("\u2502")}
    pictures = sorted(tmp_path.glob("*.png"))
    assert pictures or "paper" in said or name in ("table1", "anomalies")  # a table needs no picture
    for picture in pictures:
        assert str(picture) in said.replace("\n", "")
        assert min(Image.open(picture).size) > 200


@pytest.mark.parametrize("name", REPRODUCTIONS)
def test_each_is_explained_with_its_command(name):
    pages = [path.read_text("utf-8") for path in (DOCS / "recipes").glob("*.md")]
    assert any(f"\nebgan reproduce {name} " in page for page in pages)


def test_another_name_or_scale_is_refused_with_the_mend(capsys):
    assert run(["reproduce", "teory"]) == 2
    assert "did you mean theory?" in capsys.readouterr().err
    assert run(["reproduce", "theory", "--scale", "paper"]) == 2
    assert "theory has only the scales tiny, cpu" in capsys.readouterr().err
    assert run(["reproduce", "figure9", "--data", "x"]) == 2
    assert "--data: figure9 is measured on its own data" in capsys.readouterr().err
    assert run(["reproduce", "figure6", "--scale", "tiny", "--data", "x"]) == 2
    assert "--data: --scale tiny always uses the digits" in capsys.readouterr().err
    assert run(["reproduce", "figure2", "--limit", "0"]) == 2
    assert "--limit 0: expected at least 1" in capsys.readouterr().err
