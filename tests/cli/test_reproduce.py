from pathlib import Path

import pytest
from PIL import Image

from ebgan.cli.main import run
from ebgan.recipes.reproductions import REPRODUCTIONS

DOCS = Path(__file__).parents[2] / "docs"


def test_without_a_name_all_that_can_be_reproduced_is_listed(capsys):
    assert run(["reproduce"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(REPRODUCTIONS)
    assert all(each.source in line for each, line in zip(REPRODUCTIONS.values(), lines, strict=True))


@pytest.mark.parametrize("name", REPRODUCTIONS)
def test_each_prints_every_claim_and_its_tables_and_draws_its_pictures(name, capsys, tmp_path):
    assert run(["reproduce", name, str(tmp_path), "--scale", "tiny"]) == 0
    said = capsys.readouterr().out
    assert {"claim", "expected", "measured", "holds"} <= set(said.split())
    pictures = sorted(tmp_path.glob("*.png"))
    assert pictures or "paper" in said  # a table needs no picture
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
    assert "theory has the scales tiny, cpu" in capsys.readouterr().err
