"""`ebgan report RUN`, for a run or a sweep."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from ebgan.cli.arguments import parse
from ebgan.errors import UsageError

if TYPE_CHECKING:
    from ebgan.storage.runfolder import SweepFolder


@dataclass(frozen=True)
class Report:
    """Write the report.html of a run or a sweep from the files in its folder; it may still be running."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # the folder of a run or of a sweep


def main(argv: list[str]) -> None:
    """Write the report, and print its path."""
    chosen = parse(Report, "report", argv)
    from ebgan.report import write_report
    from ebgan.storage.runfolder import RunFolder, SweepFolder

    sweep, run = SweepFolder(chosen.run), RunFolder(chosen.run)
    if sweep.trials.is_file():
        print(_of_sweep(sweep))
    elif run.config.is_file():
        print(write_report(run))
    else:
        raise UsageError(
            f"{chosen.run}: neither a run nor a sweep: expected a folder with the config.yaml of `ebgan train` or the "
            "trials.sqlite of `ebgan sweep`"
        )


def _of_sweep(folder: SweepFolder) -> Path:
    """Write the report of a sweep, with the paper's published numbers for its grid if there are any."""
    from ebgan.recipes.index import find_grid, is_grid
    from ebgan.sweeps import SweepStore
    from ebgan.sweeps.summary import write_sweep_report

    with SweepStore(folder.trials) as store:
        name = store.facts().get("grid", "")
    return write_sweep_report(folder, find_grid(name).published if is_grid(name) else None)
