"""Recipes and grids of packages and of files: found by name, listed without an import, refused in one line."""

import logging
import sys

import pytest

from ebgan.cli.main import run
from ebgan.errors import UsageError
from ebgan.experiment import Experiment
from ebgan.experiment.grid import Grid
from ebgan.objectives import EBGAN
from ebgan.recipes import find, find_grid, foreign

GROUP = "ebgan.recipes"
TEXT = """
from ebgan import Experiment
from ebgan.objectives import EBGAN
from ebgan.sweeps import Grid

def make(): return Experiment(objective=EBGAN(margin=4.0))
def wide(width=3): return Experiment(batch=width)
def grid(): return Grid(base=make(), axes={"objective.margin": (1.0, 2.0)})
def scaled(scale): return Grid(base=make(), axes={"objective.margin": {"tiny": (1.0,)}.get(scale, (1.0, 2.0, 3.0))})
def needs(width): return make()
def fails(): return Experiment(batch=0)
def raises(): return {}["none"]
def nothing(): pass
def later(): yield make()
"""


def test_a_function_of_a_file_is_a_recipe(folder_of_code) -> None:
    (folder_of_code / "mine.py").write_text(TEXT)
    assert find("mine.py:make").make() == Experiment(objective=EBGAN(margin=4.0))
    assert find("mine.py:wide").make().batch == 3
    assert len(find_grid("mine.py:grid").make("cpu")) == 2


def test_a_grid_of_a_file_gets_the_scale_if_it_takes_one(folder_of_code) -> None:
    (folder_of_code / "mine.py").write_text(TEXT)
    assert [len(find_grid("mine.py:scaled").make(scale)) for scale in ("tiny", "cpu")] == [1, 3]
    with pytest.raises(UsageError, match=r"--scale tiny: mine.py:grid takes no scale"):
        find_grid("mine.py:grid").make("tiny")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("needs", r"mine.py:needs: needs the argument width, which nobody gives: give it a default"),
        ("fails", r"mine.py, line 11: batch=0: expected at least 1"),
        ("raises", r"mine.py, line 12: KeyError: 'none'"),
        ("nothing", r"mine.py:nothing: returns None; expected an ebgan.Experiment"),
        ("later", r"mine.py:later: returns a value of the type generator"),
        ("grid", r"mine.py:grid: is a grid of experiments: `ebgan sweep mine.py:grid OUT` runs it"),
        ("scaled", r"mine.py:scaled: needs the argument scale"),
        ("Grid", r"mine.py:Grid: needs the argument base"),
    ],
)
def test_a_function_that_is_no_recipe_is_named(folder_of_code, name: str, said: str) -> None:
    (folder_of_code / "mine.py").write_text(TEXT)
    with pytest.raises(UsageError, match=said):
        find(f"mine.py:{name}").make()


def test_a_recipe_is_no_grid(folder_of_code) -> None:
    (folder_of_code / "mine.py").write_text(TEXT)
    with pytest.raises(UsageError, match=r"is a single experiment: `ebgan train mine.py:make OUT` trains it"):
        find_grid("mine.py:make").make("cpu")
    with pytest.raises(UsageError, match=r"mine.py:nothing: returns None; expected an ebgan.sweeps.Grid"):
        find_grid("mine.py:nothing").make("cpu")


def test_a_name_with_a_colon_is_told_how_files_are_written() -> None:
    with pytest.raises(UsageError, match=r"mine:make: no recipe .*: a function of a file is written mine.py:make"):
        find("mine:make")


def test_a_package_has_recipes_and_grids(install) -> None:
    install("strange", {GROUP: {"strange.one": "strange:make", "strange.many": "strange:grid"}}, strange=TEXT)
    assert foreign.names() == ["strange.many", "strange.one"]
    assert "strange" not in sys.modules
    assert find("strange.one").make() == Experiment(objective=EBGAN(margin=4.0))
    assert isinstance(find_grid("strange.many").make("cpu"), Grid)
    with pytest.raises(UsageError, match=r"is a grid of experiments: `ebgan sweep strange.many OUT` runs it"):
        find("strange.many").make()
    with pytest.raises(UsageError, match=r"did you mean strange.one"):
        find("strange.on")


def test_they_are_listed_without_an_import(install, capsys) -> None:
    install("strange", {GROUP: {"strange.one": "strange:make"}}, strange="raise AssertionError")
    assert run(["recipes"]) == 0
    assert capsys.readouterr().out.endswith(
        "\n\nrecipes and grids of installed packages:\nstrange.one  of the package strange\n"
    )
    assert run(["completion", "bash"]) == 0
    assert "strange.one" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "module", "said"),
    [
        ("broken:make", "import no_such_module", r"cannot be imported: ModuleNotFoundError: No module named 'no_such"),
        ("broken:make", "def make(:", r"cannot be imported: SyntaxError"),
        ("broken:none", "", r"cannot be imported: AttributeError: .* no attribute 'none'"),
        ("not_there:make", "", r"cannot be imported: ModuleNotFoundError: No module named 'not_there'"),
        ("broken:make", "raise SystemExit(3)", r"cannot be imported: SystemExit: 3"),
        ("broken", "", r"is a value of the type module, not a function that returns an Experiment or a Grid"),
        ("broken:make", "make = 3", r"is a value of the type int, not a function"),
        ("bro ken:make", "", r"cannot be imported"),
        (":make", "", r"cannot be imported"),
    ],
)
def test_a_broken_package_is_named_and_disturbs_no_other(install, capsys, value, module, said) -> None:
    install("broken", {GROUP: {"broken.one": value}}, broken=module)
    install("sound", {GROUP: {"sound.one": "sound:make"}}, sound=TEXT)
    with pytest.raises(UsageError, match=rf"^the package broken: its entry point broken.one = {value} .*{said}"):
        find("broken.one")
    assert find("sound.one").make().objective == EBGAN(margin=4.0)
    assert run(["train", "broken.one", "out"]) == UsageError.exit_code
    assert capsys.readouterr().err.startswith("ebgan: the package broken: ")


def test_a_function_of_a_package_that_fails_is_named_with_its_line(install) -> None:
    folder = install("strange", {GROUP: {"strange.raises": "strange:raises"}}, strange=TEXT)
    with pytest.raises(UsageError, match=rf"{folder}/strange.py, line 12: KeyError"):
        find("strange.raises").make()


def test_a_name_that_two_packages_have_is_refused_with_both(install, capsys) -> None:
    for name in ("first", "second"):
        install(name, {GROUP: {"same": f"{name}:make"}}, **{name: TEXT})
    with pytest.raises(UsageError, match=r"same: the packages first and second have an entry point of this name"):
        find("same")
    run(["recipes"])
    assert "same  not available: two packages have it, first and second" in capsys.readouterr().out


def test_our_own_recipe_is_taken_before_that_of_a_package_with_a_warning(install, capsys, caplog) -> None:
    install("strange", {GROUP: {"digits": "strange:make", "mnist_grid": "strange:grid"}}, strange=TEXT)
    with caplog.at_level(logging.WARNING):
        assert find("digits").make() != Experiment(objective=EBGAN(margin=4.0))
    assert "digits: taken is ebgan's own; the recipe of the package strange is hidden" in caplog.text
    assert foreign.names() == []
    run(["recipes"])
    assert "digits      hidden by ebgan's own recipe of this name (the package strange)" in capsys.readouterr().out


def test_a_damaged_package_hides_no_recipe_of_ours(install, caplog) -> None:
    folder = install("damaged", {GROUP: {}})
    (folder / "damaged-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe[ebgan.recipes\nno equals sign")
    with caplog.at_level(logging.WARNING):
        assert find("digits").make()
        assert foreign.listed() == []
    assert "the entry points of the installed packages cannot be read and are ignored" in caplog.text
