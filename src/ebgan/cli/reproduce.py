"""`ebgan reproduce [NAME] [OUT]`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from ebgan.cli.arguments import parse

if TYPE_CHECKING:
    from ebgan.recipes.claims import Claim


@dataclass(frozen=True)
class Reproduce:
    """Measure what a paper says, and print each claim beside what was found."""

    name: Annotated[Positional[str | None], arg(metavar="[NAME]")] = None  # without one, all there are are listed
    out: Annotated[Positional[Path | None], arg(metavar="[OUT]")] = None  # folder of the pictures, or runs/NAME
    scale: Literal["tiny", "cpu", "paper"] = "cpu"  # seconds, to try it; minutes on a CPU; as long as the paper's


def main(argv: list[str]) -> None:
    """Print the claims beside what was measured, and write the pictures."""
    chosen = parse(Reproduce, "reproduce", argv)
    if chosen.name is None:
        return _list()
    from rich.console import Console

    from ebgan.recipes.reproductions import find
    from ebgan.report import save_png

    findings = find(chosen.name, chosen.scale).measure(chosen.scale, Console(stderr=True).print)
    _print(findings.claims)
    folder = chosen.out or Path("runs") / chosen.name
    for title, picture in findings.pictures.items():
        save_png(picture, folder / f"{title}.png")
        print(f"picture  {folder / title}.png")
    return None


def _list() -> None:
    from ebgan.recipes.reproductions import REPRODUCTIONS

    width = max(map(len, REPRODUCTIONS))
    for name, each in REPRODUCTIONS.items():
        print(f"{name:<{width}}  {each.summary} ({each.source})")


def _print(claims: list[Claim]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("claim", "expected", "measured", "holds")
    for each in claims:
        words = (each.claim, each.expected, each.measured, "yes" if each.holds else "no")
        table.add_row(*map(Text, words))  # as they are: a hinge [m - y] is no markup
    Console().print(table)
