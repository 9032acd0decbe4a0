"""Recipes by name: functions that return an Experiment, or a Grid at a scale, with the paper that it comes from."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ebgan.errors import UsageError
from ebgan.experiment import Experiment
from ebgan.sweeps.grid import Grid


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
    published: Mapping[str, tuple[float, ...]]  # per cent of models a bin of I', by family, as the paper has them

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
    name: str, source: str, published: Mapping[str, tuple[float, ...]]
) -> Callable[[Callable[[Scale], Grid]], Callable[[Scale], Grid]]:
    """Put a function that returns a Grid at a scale into the index."""

    def enter(make: Callable[[Scale], Grid]) -> Callable[[Scale], Grid]:
        assert name not in GRIDS
        GRIDS[name] = GridRecipe(name, source, make, published)
        return make

    return enter


def find(name: str) -> Recipe:
    """The recipe of a name. Raises UsageError with the nearest names."""
    if name in GRIDS:
        raise UsageError(f"{name}: is a grid of experiments: `ebgan sweep {name} OUT` runs it")
    if name not in RECIPES:
        raise UsageError(f"{name}: no recipe of that name, and no config file: {_nearest(name, RECIPES)}")
    return RECIPES[name]


def find_grid(name: str) -> GridRecipe:
    """The grid of a name. Raises UsageError with the nearest names."""
    if name not in GRIDS:
        raise UsageError(f"{name}: no grid of that name: {_nearest(name, GRIDS)}")
    return GRIDS[name]


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, 3, 0.5)
    return f"did you mean {' or '.join(near)}?" if near else "`ebgan recipes` lists them"
