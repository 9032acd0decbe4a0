"""`ebgan recipes`."""

from __future__ import annotations

from dataclasses import dataclass

from ebgan.cli.arguments import parse


@dataclass(frozen=True)
class Recipes:
    """List all recipes, with the paper's figure or table and a description."""


def main(argv: list[str]) -> None:
    """Print the list."""
    parse(Recipes, "recipes", argv)
    from ebgan.recipes import foreign
    from ebgan.recipes.catalogue import entries, listed

    print("\n".join(listed([*entries("recipe").values(), *entries("grid").values()])))
    if of_packages := foreign.listed():
        print("\n".join(["", "recipes and grids of installed packages:", *of_packages]))
