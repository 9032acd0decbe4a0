"""`ebgan report RUN`, of a run or of a sweep."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from ebgan.cli.arguments import parse

if TYPE_CHECKING:
    from ebgan.runfolder import SweepFolder


@dataclass(frozen=True)
class Report:
    """Write the report.html of a run, or of a sweep, from what is in its folder, also while it goes on."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # the folder of a run or of a sweep


def main(argv: list[str]) -> None:
    """Write, and say where."""
    chosen = parse(Report, "report", argv)
    from ebgan.report import write_report
    from ebgan.runfolder import RunFolder, SweepFolder

    sweep = SweepFolder(chosen.run)
    print(_of_sweep(sweep) if sweep.trials.is_file() else write_report(RunFolder(chosen.run)))


def _of_sweep(folder: SweepFolder) -> Path:
    """The report of a sweep, beside what the paper published of its grid."""
    from ebgan.recipes import GRIDS
    from ebgan.sweeps import Store
    from ebgan.sweeps.summary import write_sweep_report

    with Store(folder.trials) as store:
        known = GRIDS.get(store.facts().get("grid", ""))
    return write_sweep_report(folder, known.published if known else None)
