from collections.abc import Iterator
from importlib import import_module
from unittest.mock import patch

import pytest

from ebgan.errors import UsageError
from ebgan.recipes import GRIDS, RECIPES, find, find_grid
from ebgan.recipes.catalogue import FILE, CatalogueLine, collected, entries, listed, nearest
from ebgan.recipes.index import is_grid, is_recipe, recipe
from ebgan.reproductions.index import REPRODUCTIONS


def test_the_catalogue_says_what_the_modules_have():
    assert FILE.read_text("utf-8") == collected(REPRODUCTIONS), "write it anew: python tools/write-catalogue"


def test_all_that_there_is_has_an_entry():
    assert set(entries("recipe")) == set(RECIPES)
    assert set(entries("grid")) == set(GRIDS)
    assert list(entries("reproduction")) == list(REPRODUCTIONS)


@pytest.mark.parametrize("kind", ["recipe", "grid"])
def test_each_entry_names_the_module_that_enters_it(kind):
    for name, entry in entries(kind).items():
        made = (RECIPES if kind == "recipe" else GRIDS)[name].make
        assert made.__module__ == import_module(f"ebgan.recipes.{entry.module}").__name__


@pytest.fixture
def entered() -> Iterator[str]:
    """The name of a recipe that a user's own program enters, without a line in the catalogue."""
    with patch.dict(RECIPES):
        recipe("mine", source="a program")(find("digits").make)
        yield "mine"


def test_a_recipe_of_the_users_own_is_found_too(entered):
    assert is_recipe(entered)
    assert find(entered).make() == find("digits").make()


@pytest.mark.parametrize(
    ("search", "name", "words"),
    [
        (find, "digitz", "no recipe of that name, and no config file: did you mean digits or digits.nae?"),
        (find, "", "`ebgan recipes` lists them"),
        (find, "mnist_grid", "is a grid of experiments: `ebgan sweep mnist_grid OUT` runs it"),
        (find, "DIGITS", "`ebgan recipes` lists them"),
        (find, "theory", "no recipe of that name"),
        (find, "catalogue", "no recipe of that name"),
        (find, "digits\t", "did you mean digits"),
        (find_grid, "margin", "did you mean margins?"),
        (find_grid, "digits", "is a single experiment: `ebgan train digits OUT` trains it"),
        (find_grid, "../margins", "did you mean margins?"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_what_was_meant(search, name, words):
    with pytest.raises(UsageError) as refused:
        search(name)
    assert words in str(refused.value)


def test_recipes_grids_and_reproductions_are_not_taken_for_each_other():
    assert is_grid("margins")
    assert not is_recipe("margins")
    assert not is_grid("figure9")


def test_names_stand_in_one_column():
    shown = [CatalogueLine("recipe", name, "module", "a paper", "What it is.") for name in ("a", "long")]
    assert listed(shown) == ["a     What it is. (a paper)", "long  What it is. (a paper)"]


def test_names_that_are_near_are_suggested():
    assert nearest("figur2", ["figure2", "table1"], "ebgan reproduce") == "did you mean figure2?"
    assert nearest("x", ["figure2"], "ebgan reproduce") == "`ebgan reproduce` lists them"
