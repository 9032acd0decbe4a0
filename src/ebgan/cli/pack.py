"""`ebgan pack SRC DEST --size N`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from ebgan.cli.arguments import parse

if TYPE_CHECKING:
    from ebgan.data import PackResult

SHOWN = 10  # classes and refused files printed; the rest are counted


@dataclass(frozen=True)
class Pack:
    """Decode pictures once, into a folder for --data or data.source; repeat an interrupted command to resume.

    SRC is a folder (flat, with a folder for each class, or in the layout of CelebA or ImageNet), a zip or tar, an LSUN
    database, or a set of arrays: CIFAR-10's, SVHN's and MNIST's files, npz, npy.
    """

    source: Annotated[Positional[str], arg(metavar="SRC")]  # the pictures
    dest: Annotated[Positional[Path], arg(metavar="DEST")]  # a new folder
    size: int  # height and width of the images: each picture's centred square is resized to it
    crop: int | None = None  # side of the centred square that is cut out before resizing; by default the largest
    channels: Literal[1, 3] = 3  # 1 grey, 3 colour
    white: Annotated[int | None, arg(name="data.white")] = (
        None  # the level of 16-bit pictures that becomes white: 4095 for 12-bit data; 65,535 by default
    )
    split: Literal["train", "test"] = "train"  # of a source that has both
    labels: str | None = None  # the column of a table in SRC (index.csv, CelebA's lists) that names the classes
    classes_by: Annotated[Literal["auto", "folders", "none"], arg(name="data.classes")] = (
        "auto"  # whether folders name classes; auto: yes, unless they are shards
    )
    classes: UseAppendAction[tuple[str, ...]] = ()  # a class folder to take, or dogs; may be given several times
    workers: int | None = None  # processes that decode; by default one per core


def main(argv: list[str]) -> None:
    """Pack with a progress bar, and print a summary."""
    chosen = parse(Pack, "pack", argv)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ebgan.data import Choice, Framing, pack

    framing = Framing(size=chosen.size, crop=chosen.crop, channels=chosen.channels, white=chosen.white)
    choice = Choice(chosen.split, chosen.labels, chosen.classes, chosen.classes_by)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("")

    def progress(done: int, total: int, refused: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=total, description=f"{refused:,} refused")

    try:
        outcome = pack(chosen.source, chosen.dest, framing, choice=choice, workers=chosen.workers, progress=progress)
    finally:
        if bar.live.is_started:
            bar.stop()
    _print(outcome, chosen)


def _print(outcome: PackResult, chosen: Pack) -> None:
    shape = f"{chosen.channels} x {chosen.size} x {chosen.size}"
    print(f"packed   {outcome.images:,} images {shape} in {chosen.dest}")
    if outcome.classes:
        print(f"classes  {len(outcome.classes):,}: {_some([f'{n} {c:,}' for n, c in outcome.classes.items()], ', ')}")
    for note in outcome.notes:
        print(f"note     {note}")
    if outcome.refused:
        listed = _some([f"  {name}: {reason}" for name, reason in outcome.refused], "\n")
        print(f"refused  {len(outcome.refused):,} files, listed in {chosen.dest / 'rejected.csv'}\n{listed}")
    if outcome.grey and chosen.channels == 3:
        print("All are grey: --channels 1 takes a third of the space.")


def _some(lines: list[str], between: str) -> str:
    more = [f"and {len(lines) - SHOWN:,} more"] if len(lines) > SHOWN else []
    return between.join(lines[:SHOWN] + more)
