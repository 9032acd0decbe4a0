"""`ebgan report RUN`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ebgan.cli.arguments import parse


@dataclass(frozen=True)
class Report:
    """Write a run's report.html from what is in its folder, also while it trains."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # a run folder


def main(argv: list[str]) -> None:
    """Write, and say where."""
    chosen = parse(Report, "report", argv)
    from ebgan.report import write_report
    from ebgan.runfolder import RunFolder

    print(write_report(RunFolder(chosen.run)))
