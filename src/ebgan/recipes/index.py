"""Recipes by name: functions that return an Experiment, or a Grid at a scale, with the paper that it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from ebgan.errors import UsageError
from ebgan.recipes import foreign
from ebgan.recipes.catalogue import Kind, entries, nearest

if TYPE_CHECKING:
    from ebgan.experiment import Experiment
    from ebgan.experiment.grid import Grid
    from ebgan.report.trials import Published


@dataclass(frozen=True)
class Recipe:
    """An experiment with a name and a source."""

    name: str
    source: str  # paper, and figure or table
    make: Callable[[], Experiment]

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.make.__doc__ or "").strip().splitlines()[0]


Scale = Literal["tiny", "cpu", "paper"]  # a minute, hours on two cores, the paper's own


@dataclass(frozen=True)
class GridRecipe:
    """A grid with a name and a source."""

    name: str
    source: str  # paper, and figure or table
    make: Callable[[Scale], Grid]
    published: Published | None  # what the paper shows of its trials

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.make.__doc__ or "").strip().splitlines()[0]


RECIPES: dict[str, Recipe] = {}
GRIDS: dict[str, GridRecipe] = {}


def recipe(name: str, source: str) -> Callable[[Callable[[], Experiment]], Callable[[], Experiment]]:
    """Put a function that returns an Experiment into the index."""

    def enter(make: Callable[[], Experiment]) -> Callable[[], Experiment]:
        assert name not in RECIPES
        RECIPES[name] = Recipe(name, source, make)
        return make

    return enter


def grid(
    name: str, source: str, published: Published | None = None
) -> Callable[[Callable[[Scale], Grid]], Callable[[Scale], Grid]]:
    """Put a function that returns a Grid at a scale into the index."""

    def enter(make: Callable[[Scale], Grid]) -> Callable[[Scale], Grid]:
        assert name not in GRIDS
        GRIDS[name] = GridRecipe(name, source, make, published)
        return make

    return enter


def find(name: str) -> Recipe:
    """The recipe of a name, whose module is imported: the project's, a package's or `mine.py:make`.

    Raises UsageError with the nearest names.
    """
    if is_grid(name):
        raise UsageError(f"{name}: is a grid of experiments: `ebgan sweep {name} OUT` runs it")
    if not is_recipe(name):
        if function := foreign.find_function(name):
            return Recipe(name, function.source, function.experiment)
        near = nearest(name, dict.fromkeys([*entries("recipe"), *RECIPES, *foreign.names()]), "ebgan recipes")
        raise UsageError(f"{name}: no recipe of that name, and no config file: {_file_meant(name) or near}")
    foreign.warn_of_hidden(name)
    _load(name, "recipe")
    return RECIPES[name]


def find_grid(name: str) -> GridRecipe:
    """The grid of a name, whose module is imported: the project's, a package's or `mine.py:grid`.

    Raises UsageError with the nearest names.
    """
    if is_recipe(name):
        raise UsageError(f"{name}: is a single experiment: `ebgan train {name} OUT` trains it")
    if not is_grid(name):
        if function := foreign.find_function(name):
            return GridRecipe(name, function.source, function.grid, None)
        near = nearest(name, dict.fromkeys([*entries("grid"), *GRIDS, *foreign.names()]), "ebgan recipes")
        raise UsageError(f"{name}: no grid of that name: {_file_meant(name) or near}")
    foreign.warn_of_hidden(name)
    _load(name, "grid")
    return GRIDS[name]


def is_recipe(name: str) -> bool:
    """Whether there is a recipe of a name, in the project or entered by whoever uses it."""
    return name in RECIPES or name in entries("recipe")


def is_grid(name: str) -> bool:
    """The same for a grid."""
    return name in GRIDS or name in entries("grid")


def _file_meant(name: str) -> str:
    """How a function of a file is written, for a name that looks like one."""
    file, colon, function = name.rpartition(":")
    return f"a function of a file is written {file}.py:{function}" if colon and file else ""


def _load(name: str, kind: Kind) -> None:
    """Import the module of what the project itself has, which enters it here."""
    if name in entries(kind):
        import_module(f"ebgan.recipes.{entries(kind)[name].module}")
