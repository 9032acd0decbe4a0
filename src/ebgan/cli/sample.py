"""`ebgan sample RUN`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg

from ebgan.cli.arguments import parse
from ebgan.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from ebgan.run import Run


@dataclass(frozen=True)
class Draw:
    """Draw samples from a run: a grid, single files, or both; a grid in the run folder if nothing is said."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # a run folder
    count: int = 64  # samples
    seed: int = 0  # the same seed draws the same samples
    grid: Path | None = None  # a PNG file for all samples in one picture
    out: Path | None = None  # a folder for one PNG a sample
    source: Annotated[str | None, arg(name="from")] = None  # images that transitions start from, not the run's data
    best: FlagCreatePairsOff[bool] = False  # take the best checkpoint, not the newest
    device: str | None = None  # cpu, cuda, cuda:1 or mps; by default the accelerator, if any
    precision: Literal["fp32", "bf16"] = "fp32"  # of matrix products


def main(argv: list[str]) -> None:
    """Draw, write, and say where."""
    chosen = parse(Draw, "sample", argv)
    if chosen.count < 1:
        raise UsageError(f"--count {chosen.count}: expected at least 1")
    from ebgan.cli.experiment import find_device
    from ebgan.data import TOYS
    from ebgan.examiner import sheet
    from ebgan.report import grid, save_png
    from ebgan.run import load

    run = load(chosen.run, best=chosen.best, device=find_device(chosen.device), precision=chosen.precision)
    source = _source(run, chosen)
    samples = run.sample(chosen.count, seed=chosen.seed, source=source)
    toy = run.experiment.data.source in TOYS
    if chosen.out and toy:
        raise UsageError("--out: a point is no picture; take --grid, or `ebgan.load(RUN).sample(N)` in Python")
    if chosen.out:
        for place, sample in enumerate(samples):
            save_png(grid(sample[None], scale=1), chosen.out / f"{place:06d}.png")
        print(f"samples  {chosen.out}")
    if chosen.grid or not chosen.out:
        path = chosen.grid or chosen.run / f"samples-seed{chosen.seed}.png"
        save_png(_landscape(run, samples) if toy else sheet(run, samples, source), path)
        print(f"grid     {path}")


def _source(run: Run, chosen: Draw) -> Tensor | None:
    """What samples start from; None for a run whose samples start from noise."""
    if chosen.source is None:
        return run.sources(chosen.count, seed=chosen.seed)
    if not run.experiment.sampler.conditional:
        raise UsageError(f"--from {chosen.source}: the samples of this run start from noise, not from images")
    from ebgan.cli.score import read_for

    return run.sources(chosen.count, read_for(run, chosen.source, "train"), seed=chosen.seed)


def _landscape(run: Run, samples: Tensor) -> Image:
    """The energy of a run on points, with samples and data."""
    from ebgan.data import open_points
    from ebgan.points_examiner import survey
    from ebgan.report import landscape

    return landscape(survey(run, open_points(run.experiment.data.source), samples[..., 0, 0]))
