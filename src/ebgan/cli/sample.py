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

SAMPLES = 64  # default of --count
STATIONS = 8  # default of --count for a strip or a walk


@dataclass(frozen=True)
class Draw(ReadsClasses):
    """Draw samples from a run as a grid, single files, interpolations or an animation; by default a grid."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # a run folder
    count: int | None = None  # number of samples; 64 by default, 8 in a strip or a walk
    seed: int = 0  # of the random numbers
    grid: Path | None = None  # a PNG file for a grid of all samples
    out: Path | None = None  # a folder for one PNG file per sample
    strip: Path | None = None  # a PNG file of interpolations: one row from each sample to the next
    walk: Path | None = None  # a GIF file that interpolates from each sample to the next, and back to the first
    truncation: float | None = None  # limit of the noise's absolute values, such as 0.5: samples become more alike
    named: Annotated[str | None, arg(name="class")] = None  # draw samples of this class alone, by its name
    refine: Literal["rejection", "langevin"] | None = None  # choose samples, or move their noise, by the energy
    budget: int = 4  # with --refine: how many images pass the nets for each sample, at most
    ranked: FlagCreatePairsOff[bool] = False  # sort by energy, the lowest first
    source: Annotated[str | None, arg(name="from")] = None  # images that transitions start from; by default the data
    best: FlagCreatePairsOff[bool] = False  # take the best checkpoint instead of the newest
    device: str | None = None  # cpu, cuda, cuda:1 or mps; by default the accelerator, if any
    precision: Literal["fp32", "bf16"] = "fp32"  # of matrix products


def main(argv: list[str]) -> None:
    """Draw samples, write the files, and print their paths."""
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
        _write_interpolations(run, chosen)
    if chosen.grid or chosen.out or not (chosen.strip or chosen.walk):
        _write_samples(run, chosen)


def _check(run: Run, chosen: Draw) -> None:
    """Raise UsageError for options that do not suit the run."""
    from ebgan.data import TOYS

    options = {"--out": chosen.out, "--strip": chosen.strip, "--walk": chosen.walk, "--ranked": chosen.ranked}
    wanted = [name for name, value in options.items() if value]
    if wanted and run.experiment.data.source in TOYS:
        raise UsageError(
            f"{wanted[0]}: this run was trained on points: give --grid, or use `ebgan.load(RUN).sample(N)` in Python"
        )
    ways = {"--strip": chosen.strip, "--walk": chosen.walk, "--truncation": chosen.truncation, "--from": chosen.source}
    others = [name for name, value in ways.items() if value is not None]
    if chosen.refine and others:
        raise UsageError(f"--refine {chosen.refine}: refined samples start from noise as it is: leave {others[0]} out")
    if chosen.source and not run.experiment.sampler.conditional:
        raise UsageError(f"--from {chosen.source}: the samples of this run start from noise, not from images")


def _write_samples(run: Run, chosen: Draw) -> None:
    """Write samples as single files, as a grid, or both."""
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


def _write_interpolations(run: Run, chosen: Draw) -> None:
    """Write interpolations between samples as a strip, an animation (walk) or both."""
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
    """Samples [count, C, H, W], and the images that they start from, if any."""
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

    from ebgan.runs.refinement import LatentLangevin, Refinement, Rejection

    refinement: Refinement
    refinement = (
        Rejection(budget=chosen.budget) if chosen.refine == "rejection" else LatentLangevin(budget=chosen.budget)
    )
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
    """The images that samples start from; None for a run whose samples start from noise."""
    if chosen.source is None:
        return run.sources(count, seed=chosen.seed)
    from ebgan.cli.score import read_for

    return run.sources(count, read_for(run, chosen.source, "train"), seed=chosen.seed)


def _landscape(run: Run, samples: Tensor) -> Image:
    """A picture of the energy of a run on points, with samples and data."""
    from ebgan.data import open_points
    from ebgan.report import landscape
    from ebgan.runs.examiners.points import survey

    return landscape(survey(run, open_points(run.experiment.data.source), samples[..., 0, 0]))
