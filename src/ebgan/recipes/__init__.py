"""The figures and tables of the papers, and examples, as experiments with names.

Each module enters its recipes into the index when it is imported; `find` imports the one that it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ebgan.recipes import index
from ebgan.recipes.catalogue import load_all
from ebgan.recipes.index import Recipe, find, find_grid

if TYPE_CHECKING:
    from ebgan.recipes.index import GRIDS, RECIPES

__all__ = ["GRIDS", "RECIPES", "Recipe", "find", "find_grid"]


def __getattr__(name: str) -> Any:
    """All recipes or all grids by name: to have them, every module is imported."""
    if name not in ("GRIDS", "RECIPES"):
        raise AttributeError(f"module 'ebgan.recipes' has no attribute {name!r}")
    load_all()
    return getattr(index, name)
