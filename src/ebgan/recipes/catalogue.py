"""The names of all recipes, grids and reproductions, read from `catalogue.tsv` without importing their modules.

Importing the modules loads torch and takes seconds. `tools/write-catalogue` writes the file from the modules of this
package and of `ebgan.reproductions`, and a test compares it with them.
"""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ebgan.errors import ambiguous

FILE = Path(__file__).with_name("catalogue.tsv")

Kind = Literal["recipe", "grid", "reproduction"]


class CatalogueLine(NamedTuple):
    """A line of the catalogue, whose fields are separated by tabs."""

    kind: str  # a Kind
    name: str
    module: str  # where it is defined, the last part of its name
    source: str  # paper, and section, figure or table
    summary: str  # the first line of its docstring


@cache
def entries(kind: Kind) -> Mapping[str, CatalogueLine]:
    """The entries of a kind by name, in the order of the file."""
    lines = map(CatalogueLine._make, (line.split("\t") for line in FILE.read_text("utf-8").splitlines()))
    return {entry.name: entry for entry in lines if entry.kind == kind}


def listed(shown: Iterable[CatalogueLine]) -> list[str]:
    """A line for each entry, with the names padded to one column."""
    shown = list(shown)
    width = max(len(entry.name) for entry in shown)
    return [f"{entry.name:<{width}}  {entry.summary} ({entry.source})" for entry in shown]


def nearest(name: str, known: Iterable[str], listing: str) -> str:
    """Known names that are like an unknown one, or the command that lists them all, as text."""
    if two := ambiguous(name):
        return two
    near = difflib.get_close_matches(name, known, 3, 0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"`{listing}` lists them"


def load_all() -> None:
    """Import every module of this package, so that all recipes and grids are in the index."""
    package = __package__ or ""
    for module in pkgutil.iter_modules([str(FILE.parent)]):
        import_module(f"{package}.{module.name}")


def collected(reproductions: Mapping[str, Any]) -> str:
    """The text of the file: recipes and grids from the modules, and the given reproductions by name."""
    load_all()
    from ebgan.recipes.index import GRIDS, RECIPES

    found = [
        *(_entry("recipe", each.name, each.make.__module__, each.source, each.summary) for each in RECIPES.values()),
        *(_entry("grid", each.name, each.make.__module__, each.source, each.summary) for each in GRIDS.values()),
    ]
    found.sort(key=lambda entry: (entry.kind != "recipe", entry.module))
    for name, each in reproductions.items():
        found.append(_entry("reproduction", name, each.measure.__module__, each.source, each.summary))
    return "".join("\t".join(entry) + "\n" for entry in found)


def _entry(kind: Kind, name: str, module: str, source: str, summary: str) -> CatalogueLine:
    entry = CatalogueLine(kind, name, module.rpartition(".")[2], source, summary)
    assert not any("\t" in word or "\n" in word for word in entry), f"{name}: a tab or a new line"
    return entry
