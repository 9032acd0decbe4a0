"""`ebgan chain RUN`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg

from ebgan.cli.arguments import ReadsClasses, parse
from ebgan.errors import DataError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from ebgan.data import Images
    from ebgan.metrics import TrainedClassifier
    from ebgan.runs.chain import Chain
    from ebgan.runs.run import Run


@dataclass(frozen=True)
class Simulate(ReadsClasses):
    """Simulate Markov chains with a run's transitions: a picture, an animation and a table (VGAN, figure 5)."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # a run folder
    steps: int = 9  # transitions of each chain
    count: int = 30  # number of chains
    seed: int = 0  # of the random numbers
    source: Annotated[str | None, arg(name="from")] = None  # images that chains start from; by default the run's data
    split: Literal["train", "test"] = "train"  # of --from, if it has both
    data: str | None = None  # the training images, if they were moved
    out: Path | None = None  # a folder for chain.png, chain.gif and chain.csv; by default the run folder
    best: FlagCreatePairsOff[bool] = False  # take the best checkpoint instead of the newest
    device: str | None = None  # cpu, cuda, cuda:1 or mps; by default the accelerator, if any
    precision: Literal["fp32", "bf16"] = "fp32"  # of matrix products


def main(argv: list[str]) -> None:
    """Simulate the chains, write the files, and print one line per step and the files' paths."""
    chosen = parse(Simulate, "chain", argv)
    for option, number in (("steps", chosen.steps), ("count", chosen.count)):
        if number < 1:
            raise UsageError(f"--{option} {number}: expected at least 1")
    from ebgan.cli.experiment import find_device
    from ebgan.runs.chain import simulate, write_table
    from ebgan.runs.loading import load

    run = load(chosen.run, best=chosen.best, device=find_device(chosen.device), precision=chosen.precision)
    data = _data(run, chosen)
    chain = simulate(
        run, _start(run, chosen, data), chosen.steps, seed=chosen.seed, data=data, classifier=_classifier(run, data)
    )
    folder = chosen.out or chosen.run
    write_table(chain, data.classes, folder / "chain.csv")
    _draw(chain, folder)
    _print(chain)
    for what, file in (("picture", "chain.png"), ("animation", "chain.gif"), ("table", "chain.csv")):
        print(f"{what:<9} {folder / file}")


def _data(run: Run, chosen: Simulate) -> Images:
    """The run's training images, among which nearest neighbours are searched. Raises UsageError for an unfit run.

    Prints a note if --data gives other images. Raises DataError if the images cannot be opened.
    """
    from ebgan.cli.score import read_for
    from ebgan.data import Points

    if not run.experiment.sampler.conditional:
        raise UsageError(f"{run.folder.path}: its samples start from noise; a chain needs transitions (VCD)")
    try:
        data = read_for(run, chosen.data, "train") if chosen.data else run.reopened()
    except DataError as error:
        if chosen.data:
            raise
        raise DataError(
            f"{run.folder.path}: its training images, with which a chain is compared, are missing or were changed: "
            "give them by --data"
        ) from error
    if isinstance(data, Points):
        raise UsageError(f"{run.folder.path}: was trained on points; a chain can only be drawn of images")
    if data.checksum != run.data.checksum and not run.experiment.data.crop:
        print(
            f"{data.name} differs from the images that the run was trained on; neighbours are searched in {data.name}"
        )
    return data


def _start(run: Run, chosen: Simulate, data: Images) -> Tensor:
    from ebgan.cli.score import read_for

    source = data if chosen.source is None else read_for(run, chosen.source, chosen.split)
    start = run.sources(chosen.count, source, seed=chosen.seed)
    assert start is not None
    return start


def _classifier(run: Run, data: Images) -> TrainedClassifier | None:
    """A classifier of the data, if metrics can be measured on it; else None."""
    from ebgan.runs.examiners.images import Examiner, classifier_of

    return classifier_of(data, run.experiment.data, run.device) if Examiner(run, data, 0).measurable else None


def _draw(chain: Chain, folder: Path) -> None:
    """Draw a picture with one row per step, beginning with the starting images, and an animation of all chains."""
    from ebgan.report import grid, save_gif, save_png

    save_png(grid(chain.images.flatten(0, 1), columns=chain.images.shape[1]), folder / "chain.png")
    save_gif([grid(images) for images in chain.images], folder / "chain.gif", 400)


def _print(chain: Chain) -> None:
    from ebgan.runs.chain import summary

    rows = summary(chain)
    widths = [len(word) for word in rows[0]]
    for row in rows:
        print("  ".join(word.rjust(width) for word, width in zip(row, widths, strict=True)))
