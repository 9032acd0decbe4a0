"""`ebgan recipes`."""

from __future__ import annotations

from dataclasses import dataclass

from ebgan.cli.arguments import parse


@dataclass(frozen=True)
class Recipes:
    """List every recipe with its paper, figure or table, and what it is."""


def main(argv: list[str]) -> None:
    """Print the list."""
    parse(Recipes, "recipes", argv)
    from ebgan.recipes import GRIDS, RECIPES
    from ebgan.recipes.index import GridRecipe, Recipe

    width = max(map(len, RECIPES))
    entries: list[Recipe | GridRecipe] = [*RECIPES.values(), *GRIDS.values()]
    for recipe in entries:
        print(f"{recipe.name:<{width}}  {recipe.summary} ({recipe.source})")
