"""`ebgan board RUNS`: all runs of a folder on one page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ebgan.cli.arguments import parse
from ebgan.errors import UsageError


@dataclass(frozen=True)
class BoardOptions:
    """Write a page over all runs of a folder, also while they train: a table, curves, samples, differences."""

    runs: Annotated[Positional[Path], arg(metavar="RUNS")]  # a folder of run folders
    out: Path | None = None  # the page; RUNS/board.html by default


def main(argv: list[str]) -> None:
    """Write, and say where."""
    chosen = parse(BoardOptions, "board", argv)
    from ebgan.report.board import write_board
    from ebgan.runs.history import runs_in

    found = runs_in(chosen.runs)
    if not found:
        raise UsageError(f"{chosen.runs}: no runs here: expected a folder that holds run folders of `ebgan train`")
    print(write_board(found, chosen.out or chosen.runs / "board.html"))
