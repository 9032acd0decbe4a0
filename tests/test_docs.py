"""What the documentation shows runs, and what it lists is all there is."""

import dataclasses
import re
import runpy
import shlex
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

import ebgan
from ebgan.cli.main import VERBS, run
from ebgan.data import open_data
from ebgan.recipes import GRIDS, RECIPES, find

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "docs" / "getting-started.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHORT = ["--images", "64", "--batch", "16", "--evaluation.samples", "20", "--evaluation.grid", "4", "--device", "cpu"]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder_of_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with runs/digits in it, as `make train` leaves it, but short."""
    experiment = dataclasses.replace(find("digits").make(), images=128)
    ebgan.train(experiment, tmp_path / "runs" / "digits", data=open_data("digits").images, device="cpu")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_python_of_all_pages_runs_in_one_sitting(
    folder_of_a_user: Path, package_of_the_docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page is a program; all of them run in one folder, the README first, so that none is in another's way."""
    programs = {page: "\n".join(blocks(page, "python")) for page in dict.fromkeys(PAGES)}
    monkeypatch.syspath_prepend(package_of_the_docs)
    with_code = [page for page in programs if programs[page]]
    assert [page.name for page in with_code][:2] == ["README.md", "getting-started.md"]
    for page in with_code:
        program = folder_of_a_user / f"{page.stem}.py"
        program.write_text(programs[page], "utf-8")
        with patch.dict(RECIPES):
            runpy.run_path(str(program), run_name=page.stem)


@pytest.mark.slow
@pytest.mark.parametrize(("page", "least"), [("README.md", 6), ("docs/getting-started.md", 9)])
def test_all_commands_of_a_page_run_in_one_sitting(
    page: str, least: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other in one folder, with few images; nothing is installed or fetched."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    levels = np.random.default_rng(0).integers(0, 256, (110, 70, 70, 3), dtype=np.uint8)
    folders = ("pictures", "photos", "more", "good", "new", "held-out", "others")
    for folder in folders:
        (tmp_path / folder).mkdir()
        for i in range(100 if folder == "held-out" else 24):
            Image.fromarray(levels[i]).save(tmp_path / folder / f"{i}.png")
    rows = [f"{i}.png,{'cat' if i % 2 else 'dog'}" for i in range(12)]
    (tmp_path / "few.csv").write_text("\n".join(["image,label", *rows]))
    Image.fromarray(levels[-1]).save(tmp_path / "photo.png")
    shown = "\n".join(blocks(ROOT / page, "bash"))
    done = 0
    for line in re.findall(r"^ebgan (.*)$", shown, re.MULTILINE):
        words = [str(Path(word).expanduser()) if word[0] == "~" else word for word in shlex.split(line, comments=True)]
        if "RECIPE" in words or "mnist" in " ".join(words):
            continue
        short = SHORT if words[0] == "train" else ["--images", "64"] if words[0] == "calibrate" else []
        assert run([*words, *short]) == 0, f"{line}: {capsys.readouterr().err}"
        done += 1
    assert done >= least


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
        family, _, name = re.sub(
            r"^toy\.\w+\.(?!slides|relativistic|r3gan|ebgan_regularised)", "mnist_comparison.", recipe.name
        ).rpartition(".")
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
