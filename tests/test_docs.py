"""What the documentation shows runs, and what it lists is all there is."""

import dataclasses
import re
import runpy
from pathlib import Path
from unittest.mock import patch

import pytest

import ebgan
from ebgan.cli.main import VERBS, run
from ebgan.data import open_data
from ebgan.experiment import REGISTRY
from ebgan.recipes import GRIDS, RECIPES, find

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "docs/getting-started.md", "docs/extending.md", "docs/recipes/vgan.md"]


@pytest.fixture(scope="module")
def folder_of_a_user(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs/digits, as `make train` leaves it, but short."""
    folder = tmp_path_factory.mktemp("user")
    experiment = dataclasses.replace(find("digits").make(), images=128)
    ebgan.train(experiment, folder / "runs" / "digits", data=open_data("digits").images, device="cpu")
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_every_python_block_of_a_page_runs_as_one_program(
    page: str, folder_of_a_user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert blocks
    program = tmp_path / "page.py"
    program.write_text("\n".join(blocks), "utf-8")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "digits").symlink_to(folder_of_a_user / "runs" / "digits")
    monkeypatch.chdir(tmp_path)
    with patch.dict(REGISTRY), patch.dict(RECIPES):
        runpy.run_path(str(program), run_name="page")


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_option_of_a_verb_is_explained(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    chapter = re.search(rf"^## `ebgan {verb}\b.*?(?=^## )", text, re.DOTALL | re.MULTILINE)
    assert chapter
    with pytest.raises(SystemExit):
        run([verb, "--help"])
    offered = set(re.findall(r"^\W*--([a-z][a-z-]*)", capsys.readouterr().out, re.MULTILINE)) - {"help"}
    assert {name for name in offered if f"`--{name}" not in chapter[0]} == set()


@pytest.mark.parametrize("page", ["docs/recipes/index.md"])
def test_every_recipe_is_on_the_page_with_its_source(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| [`")]
    for recipe in (*RECIPES.values(), *GRIDS.values()):
        assert recipe.source in text
        family, _, name = re.sub(r"^toy\.\w+\.(?!slides)", "mnist_rivals.", recipe.name).rpartition(".")
        of_the_family = any(f"[`{family}.*`]" in row and f"`{name}`" in row for row in rows)
        assert of_the_family or any(f"[`{recipe.name}`]" in row for row in rows)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_page_that_is_linked_to_is_there(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text("utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_licence_is_the_whole_apache_licence() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert "The ebgan developers" in text
