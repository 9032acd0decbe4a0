"""Recipes by name: each a function that returns an Experiment, with where in which paper it comes from."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from ebgan.errors import UsageError
from ebgan.experiment import Experiment


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


RECIPES: dict[str, Recipe] = {}


def recipe(name: str, source: str) -> Callable[[Callable[[], Experiment]], Callable[[], Experiment]]:
    """Put a function that returns an Experiment into the index."""

    def enter(make: Callable[[], Experiment]) -> Callable[[], Experiment]:
        assert name not in RECIPES
        RECIPES[name] = Recipe(name, source, make)
        return make

    return enter


def find(name: str) -> Recipe:
    """The recipe of a name. Raises UsageError with the nearest names."""
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, 3, 0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "`ebgan recipes` lists them"
        raise UsageError(f"{name}: no recipe of that name, and no config file: {hint}")
    return RECIPES[name]
