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
WIDE = 200  # columns of a table when the output is not a terminal


@dataclass(frozen=True)
class Reproduce(OpensData):
    """Measure the claims of a paper, and print each beside the measured result."""

    name: Annotated[Positional[str | None], arg(metavar="[NAME]")] = (
        None  # what to reproduce; without it, all are listed
    )
    out: Annotated[Positional[Path | None], arg(metavar="[OUT]")] = (
        None  # folder for runs and pictures; default runs/NAME
    )
    scale: Literal["tiny", "cpu", "paper"] = (
        "cpu"  # tiny: seconds, to try it; cpu: minutes; paper: as long as the paper
    )
    seeds: int | None = None  # number of seeds for each compared run; the default depends on the scale
    labels: tuple[int, ...] = ()  # table2: numbers of labelled images; the default depends on the scale
    data: str | None = None  # figures 5 to 8 and 11 to 14, and faces: a folder or file to use instead of the pictures
    limit: int | None = None  # figures 2 to 4: number of trials, a random subset of the grid; by default all
    workers: int = 1  # figures 2 to 4 and 9: number of processes that train trials


def main(argv: list[str]) -> None:
    """Print the claims beside the measured results, and write the pictures."""
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
    request = Request(
        chosen.scale, folder, note, chosen.seeds, chosen.labels, chosen.data, chosen.limit, chosen.workers
    )
    found = find(chosen.name, chosen.scale)
    if chosen.data and not found.takes_data:
        raise UsageError(f"--data: {chosen.name} is measured on its own data; only figures of pictures take --data")
    if chosen.data and chosen.scale == "tiny":
        raise UsageError("--data: --scale tiny always uses the digits: choose --scale cpu")
    findings = found.measure(request)
    for title, rows in findings.tables.items():
        _print(title, rows)
    if findings.claims:
        _print("", [HEADING, *(_words(claim, chosen.scale) for claim in findings.claims)])
    else:
        print("no claims: the paper makes none about these pictures, or too few trials have a result yet")
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
        table.add_row(*map(Text, row))  # as plain text: rich would read a hinge [m - y] as markup
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)
