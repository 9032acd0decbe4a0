"""`ebgan reproduce [NAME] [OUT]`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from ebgan.cli.arguments import OpensData, parse
from ebgan.errors import UsageError

if TYPE_CHECKING:
    from ebgan.recipes.index import Scale
    from ebgan.reproductions.claims import Claim


HEADING = ["claim", "expected", "measured", "holds", "by"]
WIDE = 200  # columns of a table that goes into a file


@dataclass(frozen=True)
class Reproduce(OpensData):
    """Measure what a paper says, and print each claim beside what was found."""

    name: Annotated[Positional[str | None], arg(metavar="[NAME]")] = None  # without one, all there are are listed
    out: Annotated[Positional[Path | None], arg(metavar="[OUT]")] = None  # folder of runs and pictures, or runs/NAME
    scale: Literal["tiny", "cpu", "paper"] = "cpu"  # seconds, to try it; minutes on a CPU; as long as the paper's
    seeds: int | None = None  # of each run, where several are compared; by default as many as the scale has
    labels: tuple[int, ...] = ()  # numbers of labelled images, of table2; by default those that the scale has
    data: str | None = None  # a folder or file in place of the pictures of figures 5 to 8 and 11 to 14, and of faces
    limit: int | None = None  # trials of the grid, a random subset, of figures 2 to 4; by default all
    workers: int = 1  # processes that train trials, of figures 2 to 4 and 9


def main(argv: list[str]) -> None:
    """Print the claims beside what was measured, and write the pictures."""
    chosen = parse(Reproduce, "reproduce", argv)
    if chosen.name is None:
        return _list()
    _refuse_unknown(chosen.name)
    for name, number in (("limit", chosen.limit), ("workers", chosen.workers), ("seeds", chosen.seeds)):
        if number is not None and number < 1:
            raise UsageError(f"--{name} {number}: expected at least 1")
    from rich.console import Console

    from ebgan.report import save_png
    from ebgan.reproductions.claims import Request
    from ebgan.reproductions.index import find

    folder = chosen.out or Path("runs") / chosen.name
    note = Console(stderr=True).print
    asked = Request(chosen.scale, folder, note, chosen.seeds, chosen.labels, chosen.data, chosen.limit, chosen.workers)
    found = find(chosen.name, chosen.scale)
    if chosen.data and not found.takes_data:
        raise UsageError(f"--data: {chosen.name} is measured on data of its own: figures of pictures take others")
    if chosen.data and chosen.scale == "tiny":
        raise UsageError("--data: at --scale tiny the digits stand in for every set: choose --scale cpu")
    findings = found.measure(asked)
    for title, rows in findings.tables.items():
        _print(title, rows)
    if findings.claims:
        _print("", [HEADING, *(_words(claim, chosen.scale) for claim in findings.claims)])
    else:
        print("no claims: the paper states none of these pictures, or too little has a result yet")
    for title, picture in findings.pictures.items():
        save_png(picture, folder / f"{title}.png")
        print(f"picture  {folder / title}.png")
    return None


def _refuse_unknown(name: str) -> None:
    from ebgan.recipes.catalogue import entries, nearest

    known = entries("reproduction")
    if name not in known:
        raise UsageError(f"{name}: nothing of that name can be reproduced: {nearest(name, known, 'ebgan reproduce')}")


def _list() -> None:
    from ebgan.recipes.catalogue import entries, listed

    print("\n".join(listed(entries("reproduction").values())))


def _words(claim: Claim, scale: Scale) -> list[str]:
    return [claim.claim, claim.expected, claim.measured, *claim.verdict(scale)]


def _print(title: str, rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*rows[0], title=title or None)
    for row in rows[1:]:
        table.add_row(*map(Text, row))  # as they are: a hinge [m - y] is no markup
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)
