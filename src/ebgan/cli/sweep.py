"""`ebgan sweep GRID OUT`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg

from ebgan.cli.arguments import OpensData, parse
from ebgan.cli.loading import unswept
from ebgan.errors import UsageError
from ebgan.user_code import is_code, stem

if TYPE_CHECKING:
    import torch

    from ebgan.sweeps import Grid, Halving, Row

SHOWN = 20  # failed trials printed; the rest are counted


@dataclass(frozen=True)
class Sweep(OpensData):
    """Run every trial of a grid into the folder OUT; the same command again runs the trials that have no result yet.

    Narrow nets train in stacks (many models at once), wide ones one by one. Each trial becomes a row of
    OUT/trials.sqlite; `ebgan report OUT` writes a report of them, also while the sweep runs.
    """

    grid: Annotated[Positional[str], arg(metavar="GRID")]  # a name from `ebgan recipes`, or FILE.py:FUNCTION
    out: Annotated[Positional[Path | None], arg(metavar="[OUT]")] = None  # the folder; sweeps/GRID-SCALE by default
    scale: Literal["tiny", "cpu", "paper"] = "cpu"  # tiny: a minute; cpu: hours on two cores; paper: the paper's sizes
    workers: int = 1  # number of processes, or of SLURM jobs
    limit: int | None = None  # number of trials, a random subset of the grid
    shuffle: int = 0  # the seed of the subset
    halving: int | None = None  # successive halving: per rung the best one in this many trials continues, longer
    rungs: int | None = None  # number of rungs of the halving; 3 by default
    trial_timeout: float | None = None  # minutes after which a trial, or a stack of trials, counts as hung
    plan: FlagCreatePairsOff[bool] = False  # only print the trials and the estimated time
    images: int | None = None  # real images seen in each trial, instead of the scale's
    precision: Literal["fp32", "bf16", "fp64"] | None = None  # of matrix products, instead of the grid's
    source: Annotated[str | None, arg(name="data")] = None  # a folder or file instead of the grid's data
    device: str = "cpu"  # the device of the trials
    scheduler: str | None = None  # address of a Dask scheduler whose workers run the trials
    slurm: FlagCreatePairsOff[bool] = False  # workers are SLURM jobs, by dask-jobqueue


def main(argv: list[str]) -> None:
    """Run a sweep with progress on the console, or print its plan."""
    chosen = parse(Sweep, "sweep", argv)
    _refuse(chosen)
    from ebgan.cli.experiment import find_device, named_device

    grid = _grid(chosen)
    device = named_device(chosen.device) if chosen.scheduler or chosen.slurm else find_device(chosen.device)
    out = chosen.out or Path("sweeps") / f"{grid_name(chosen.grid)}-{chosen.scale}"
    from ebgan import sweeps

    halving = sweeps.Halving(eta=chosen.halving, rungs=chosen.rungs or 3) if chosen.halving else None
    if chosen.plan:
        return _plan(chosen, grid, out, halving, device)
    from ebgan.cli.standing import StandingLine
    from ebgan.recipes.index import find_grid

    published = find_grid(chosen.grid).published
    with StandingLine() as line:
        failed = sweeps.sweep(
            grid,
            out,
            workers=chosen.workers,
            scheduler=chosen.scheduler,
            slurm=chosen.slurm,
            device=device,
            limit=chosen.limit,
            shuffle=chosen.shuffle,
            trial_timeout=chosen.trial_timeout,
            halving=halving,
            observer=line,
            facts={"grid": chosen.grid, "scale": chosen.scale},
            published=published,
        )
    _print_end(out, failed)
    return None


def _refuse(chosen: Sweep) -> None:
    """Raise UsageError for numbers that are too small and options that do not go together."""
    for name, value, least in (
        ("workers", chosen.workers, 1),
        ("limit", chosen.limit, 1),
        ("halving", chosen.halving, 2),
        ("rungs", chosen.rungs, 2),
    ):
        if value is not None and value < least:
            raise UsageError(f"--{name} {value}: expected at least {least}")
    if chosen.rungs and not chosen.halving:
        raise UsageError(f"--rungs {chosen.rungs}: needs --halving")
    if chosen.scheduler and chosen.slurm:
        raise UsageError("--scheduler and --slurm: give only one of them")


@unswept()
def _plan(chosen: Sweep, grid: Grid, out: Path, halving: Halving | None, device: torch.device) -> None:
    from ebgan.cli.sweep_plan import print_plan
    from ebgan.sweeps.cluster import sharing
    from ebgan.sweeps.plan import chosen as subset

    trials = subset(list(grid.trials()), chosen.limit, chosen.shuffle)
    share = sharing(chosen.workers, chosen.scheduler, chosen.slurm)
    print_plan(trials, out, halving, device=device, workers=chosen.workers, sharing=share)


@unswept()
def _grid(chosen: Sweep) -> Grid:
    from dataclasses import replace

    from ebgan.recipes import find_grid

    grid = find_grid(chosen.grid).make(chosen.scale)
    if chosen.images is not None:
        grid = grid.with_base(images=chosen.images)
    if chosen.precision is not None:
        grid = grid.with_base(precision=chosen.precision)
    if chosen.source is not None:
        from ebgan.experiment.sources import with_source

        source = with_source(grid.base, chosen.source).data.source
        grid = grid.with_base(data=replace(grid.base.data, source=source))
    return grid


def grid_name(grid: str) -> str:
    """The default name of a sweep: the grid's, or `mine.grid` for `path/to/mine.py:grid`."""
    return stem(grid) if is_code(grid) else grid


def _print_end(out: Path, failed: list[str]) -> None:
    from ebgan.storage.runfolder import SweepFolder
    from ebgan.sweeps import SweepStore
    from ebgan.sweeps.driver import SweepFailedError

    folder = SweepFolder(out)
    print(f"trials  {folder.trials}")
    print(f"report  {folder.report}")
    if not failed:
        return
    with SweepStore(folder.trials) as store:
        rows = {row.id: row for row in store.rows()}
    _print_failed([rows[trial] for trial in failed])
    raise SweepFailedError(
        f"{len(failed):,} trials failed, all others have their results; the same command tries these again"
    )


def _print_failed(rows: list[Row]) -> None:
    for row in rows[:SHOWN]:
        print(f"failed  {row.id}  {row.error}")
    if len(rows) > SHOWN:
        print(f"        {len(rows) - SHOWN:,} more")
