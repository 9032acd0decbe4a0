"""`ebgan reproduce theory [OUT]`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from ebgan.cli.arguments import parse


@dataclass(frozen=True)
class Reproduce:
    """Measure what the EBGAN paper proves (Lemma 1, Theorems 1 and 2) beside what it says."""

    what: Annotated[Positional[Literal["theory"]], arg(metavar="theory")]  # what to measure
    out: Annotated[Positional[Path], arg(metavar="[OUT]")] = Path("runs/theory")  # folder of the picture
    images: int = 384_000  # points seen by each of the two runs with nets


def main(argv: list[str]) -> None:
    """Print the claims beside what was measured, and write the curves."""
    chosen = parse(Reproduce, "reproduce", argv)
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ebgan.recipes.theory import panels, reproduce
    from ebgan.report import panels as drawn
    from ebgan.report import save_png

    said = Console(stderr=True)
    theory = reproduce(chosen.images, said.print)
    table = Table("claim", "expected", "measured", "holds")
    for each in theory.claims:
        words = (each.claim, each.expected, each.measured, "yes" if each.holds else "no")
        table.add_row(*map(Text, words))  # as they are: a hinge [m - y] is no markup
    Console().print(table)
    path = chosen.out / "theory.png"
    save_png(drawn(panels(theory)), path)
    print(f"curves  {path}")
