"""`ebgan classify RUN IMAGES...`: the class of each image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from tyro.conf import FlagCreatePairsOff, Positional, arg

from ebgan.cli.arguments import ReadsClasses, parse
from ebgan.errors import UsageError

if TYPE_CHECKING:
    from ebgan.data import Packed
    from ebgan.runs.run import Run

SHOWN = 20  # images printed; the rest are counted


@dataclass(frozen=True)
class Classify(ReadsClasses):
    """Classify images with a run that was trained on some labelled images.

    Images are read like the run's data. If the energy of an image is high, it is unlike the data and its class a guess.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # a run folder
    images: Annotated[Positional[tuple[str, ...]], arg(metavar="IMAGES...")]  # files, folders, packed or named sets
    split: Literal["train", "test"] = "train"  # of a set that has both
    csv: Path | None = None  # a file for the whole table: image, class, probability, energy
    best: FlagCreatePairsOff[bool] = False  # take the best checkpoint instead of the newest
    device: str | None = None  # cpu, cuda, cuda:1 or mps; by default the accelerator, if any
    precision: Literal["fp32", "bf16"] = "fp32"  # of matrix products


class NamedImage(NamedTuple):
    """An image with its predicted class."""

    image: str  # its name
    kind: str  # the name of the class
    probability: float
    energy: float


def main(argv: list[str]) -> None:
    """Classify images, print the first ones, and write the table."""
    chosen = parse(Classify, "classify", argv)
    if not chosen.images:
        raise UsageError("classify: no images given: expected files, folders, packed or named sets")
    from ebgan.cli.experiment import find_device
    from ebgan.cli.score import named_apart, read_for
    from ebgan.runs.loading import load

    run = load(chosen.run, best=chosen.best, device=find_device(chosen.device), precision=chosen.precision)
    named: list[NamedImage] = []
    for source in chosen.images:
        packed = named_apart(read_for(run, source, chosen.split), source, chosen.images)
        found = classify(run, packed)
        named += found
        _say_error(run, packed, found)
    if chosen.csv:
        write_table(named, chosen.csv)
    print(f"{'chance':>8}  {'class':<12}  {'energy':>10}  image")
    for each in named[:SHOWN]:
        print(f"{each.probability:8.4f}  {each.kind:<12}  {each.energy:10.4f}  {each.image}")
    if len(named) > SHOWN:
        print(f"     ...  {len(named) - SHOWN:,} more")
    if chosen.csv:
        print(f"table   {chosen.csv}")


def classify(run: Run, packed: Packed) -> list[NamedImage]:
    """The predicted class of each image of a set, in the set's order."""
    from ebgan.cli.score import score
    from ebgan.runs.examiners.classes import predict

    chances, kinds = predict(run, packed).max(-1)
    scored = score(run, packed)
    return [
        NamedImage(each.image, run.data.classes[kind], chance, each.energy)
        for each, chance, kind in zip(scored, chances.tolist(), kinds.tolist(), strict=True)
    ]


def write_table(named: list[NamedImage], path: Path) -> None:
    """Write the predictions as CSV. Raises StorageError if the file cannot be written."""
    from ebgan.csv_cells import csv_text
    from ebgan.storage.files import write_atomically

    write_atomically(path, csv_text([("image", "class", "probability", "energy"), *named]).encode())


def _say_error(run: Run, packed: Packed, named: list[NamedImage]) -> None:
    """Print the error rate over the images whose class is known, or why there is none."""
    from ebgan.data import UNKNOWN, matched
    from ebgan.report import interval

    tested, message = matched(packed, run.data.classes)
    if tested is None or packed.labels is None:
        print(f"no error: {message}")
        return
    pairs = zip(packed.labels, named, strict=True)
    known = [(packed.classes[label], each.kind) for label, each in pairs if label != UNKNOWN]
    right = [label == kind for label, kind in known if label in run.data.classes]
    wrong = right.count(False)
    spread = interval(wrong, len(right))
    counted = f"{wrong:,} of {len(right):,} in {packed.name}, {spread}"
    print(f"error {wrong / len(right):.2%}: {counted}{'; ' if message else ''}{message}")
