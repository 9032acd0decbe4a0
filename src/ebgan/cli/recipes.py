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
    from ebgan.recipes import RECIPES

    width = max(map(len, RECIPES))
    for recipe in RECIPES.values():
        print(f"{recipe.name:<{width}}  {recipe.summary} ({recipe.source})")
