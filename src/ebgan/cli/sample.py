"""`ebgan sample RUN`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg

from ebgan.cli.arguments import ReadsClasses, parse
from ebgan.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from ebgan.runs.run import Run

SAMPLES = 64  # if --count is not given
STATIONS = 8  # of a strip or a walk, if it is not


@dataclass(frozen=True)
class Draw(ReadsClasses):
    """Draw samples from a run: a grid, single files, strips, a walk; a grid in the run folder if nothing is said."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # a run folder
    count: int | None = None  # samples, 64 by default; in a strip or a walk, 8
    seed: int = 0  # the same seed draws the same samples
    grid: Path | None = None  # a PNG file for all samples in one picture
    out: Path | None = None  # a folder for one PNG a sample
    strip: Path | None = None  # a PNG file with a row of pictures from each sample to the next one
    walk: Path | None = None  # a GIF file for a round from each sample to the next one
    named: Annotated[str | None, arg(name="class")] = None  # draw samples of this class alone, by its name
    truncation: float | None = None  # the largest number of the noise, 0.5 for instance: samples are then more alike
    refine: Literal["rejection", "langevin"] | None = None  # choose samples, or move their noise, by the energy
    budget: int = 4  # with --refine: how many images pass the nets for each sample, at most
    ranked: FlagCreatePairsOff[bool] = False  # in order of energy, the lowest first
    source: Annotated[str | None, arg(name="from")] = None  # images that transitions start from, not the run's data
    best: FlagCreatePairsOff[bool] = False  # take the best checkpoint, not the newest
    device: str | None = None  # cpu, cuda, cuda:1 or mps; by default the accelerator, if any
    precision: Literal["fp32", "bf16"] = "fp32"  # of matrix products


def main(argv: list[str]) -> None:
    """Draw, write, and say where."""
    chosen = parse(Draw, "sample", argv)
    if chosen.count is not None and chosen.count < 1:
        raise UsageError(f"--count {chosen.count}: expected at least 1")
    from ebgan.cli.experiment import find_device
    from ebgan.runs.by_class import of_class
    from ebgan.runs.loading import load

    run = load(chosen.run, best=chosen.best, device=find_device(chosen.device), precision=chosen.precision)
    if chosen.named is not None:
        run = of_class(run, chosen.named)
    _check(run, chosen)
    if chosen.strip or chosen.walk:
        _write_ways(run, chosen)
    if chosen.grid or chosen.out or not (chosen.strip or chosen.walk):
        _write_samples(run, chosen)


def _check(run: Run, chosen: Draw) -> None:
    """Raise UsageError for what a run's samples cannot be."""
    from ebgan.data import TOYS

    options = {"--out": chosen.out, "--strip": chosen.strip, "--walk": chosen.walk, "--ranked": chosen.ranked}
    wanted = [name for name, value in options.items() if value]
    if wanted and run.experiment.data.source in TOYS:
        raise UsageError(f"{wanted[0]}: a point is no picture; take --grid, or `ebgan.load(RUN).sample(N)` in Python")
    ways = {"--strip": chosen.strip, "--walk": chosen.walk, "--truncation": chosen.truncation, "--from": chosen.source}
    others = [name for name, value in ways.items() if value is not None]
    if chosen.refine and others:
        raise UsageError(f"--refine {chosen.refine}: refined samples start from noise as it is: leave {others[0]} out")
    if chosen.source and not run.experiment.sampler.conditional:
        raise UsageError(f"--from {chosen.source}: the samples of this run start from noise, not from images")


def _write_samples(run: Run, chosen: Draw) -> None:
    """Write samples one by one, in a grid, or both."""
    from ebgan.data import TOYS
    from ebgan.report import grid, save_png
    from ebgan.runs.examiners.images import sheet

    samples, source = _samples(run, chosen)
    if chosen.out:
        for index, sample in enumerate(samples):
            save_png(grid(sample[None], scale=1), chosen.out / f"{index:06d}.png")
        print(f"samples  {chosen.out}")
    if chosen.grid or not chosen.out:
        path = chosen.grid or chosen.run / f"samples-seed{chosen.seed}.png"
        toy = run.experiment.data.source in TOYS
        save_png(_landscape(run, samples) if toy else sheet(run, samples, source), path)
        print(f"grid     {path}")


def _write_ways(run: Run, chosen: Draw) -> None:
    """Write what lies between samples, as a strip, as a walk or both."""
    from ebgan.report import save_gif, save_png
    from ebgan.runs.walks import strip, walk

    noise = run.noise(chosen.count or STATIONS, seed=chosen.seed, truncation=chosen.truncation)
    if chosen.strip:
        save_png(strip(run, noise), chosen.strip)
        print(f"strip    {chosen.strip}")
    if chosen.walk:
        save_gif(walk(run, noise), chosen.walk)
        print(f"walk     {chosen.walk}")


def _samples(run: Run, chosen: Draw) -> tuple[Tensor, Tensor | None]:
    """Samples, and the images that they started from if they did."""
    count = chosen.count or SAMPLES
    if chosen.refine is not None:
        samples, source = _refined(run, chosen, count), None
    elif chosen.truncation is not None:
        samples, source = run.generate(run.noise(count, seed=chosen.seed, truncation=chosen.truncation)), None
    else:
        source = _source(run, chosen, count)
        samples = run.sample(count, seed=chosen.seed, source=source)
    if not chosen.ranked:
        return samples, source
    energy, order = run.energy(samples).sort()
    print(f"energy   {energy[0]:.4f} of the first to {energy[-1]:.4f} of the last")
    return samples[order], None if source is None else source[order]


def _refined(run: Run, chosen: Draw, count: int) -> Tensor:
    """Refined samples, after a line that says what they cost."""
    import time

    from ebgan.runs.refinement import Langevin, Refinement, Rejection

    refinement: Refinement
    refinement = Rejection(budget=chosen.budget) if chosen.refine == "rejection" else Langevin(budget=chosen.budget)
    found = refinement.refined(run, count, seed=chosen.seed)
    start = time.perf_counter()
    run.sample(count, seed=chosen.seed)
    plain = time.perf_counter() - start
    made = found.made
    print(
        f"refined  {made.accepted:,} of {made.candidates:,} candidates accepted ({found.acceptance:.0%}); "
        f"{made.passes:,} images through the nets for {count:,} samples; "
        f"{found.seconds:.2g} s, and {plain:.2g} s without; {found.calibration:.2g} s of calibration"
    )
    return found.samples


def _source(run: Run, chosen: Draw, count: int) -> Tensor | None:
    """What samples start from; None for a run whose samples start from noise."""
    if chosen.source is None:
        return run.sources(count, seed=chosen.seed)
    from ebgan.cli.score import read_for

    return run.sources(count, read_for(run, chosen.source, "train"), seed=chosen.seed)


def _landscape(run: Run, samples: Tensor) -> Image:
    """The energy of a run on points, with samples and data."""
    from ebgan.data import open_points
    from ebgan.report import landscape
    from ebgan.runs.examiners.points import survey

    return landscape(survey(run, open_points(run.experiment.data.source), samples[..., 0, 0]))
