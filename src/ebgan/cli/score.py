"""`ebgan score RUN IMAGES...`: the energy as an anomaly score."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from tyro.conf import FlagCreatePairsOff, Positional, UseAppendAction, arg

from ebgan.cli.arguments import ReadsClasses, parse
from ebgan.errors import DataError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from ebgan.data import Packed
    from ebgan.runs.run import Run

LONGEST = 100  # letters of an image's name in that of its map
SHOWN = 20  # lines of the ranking that are printed


@dataclass(frozen=True)
class Score(ReadsClasses):
    """Rank images by a run's energy, the strangest first.

    Images are read as the run's data was. With class folders, or a set with labels, --normal names the classes that are
    normal, and the AUROC says how well the energy tells the others apart.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # a run folder
    images: Annotated[Positional[tuple[str, ...]], arg(metavar="IMAGES...")]  # files, folders, packed or named sets
    split: Literal["train", "test"] = "train"  # of a set that has both
    normal: UseAppendAction[tuple[str, ...]] = ()  # a class that is normal; may be given several times
    csv: Path | None = None  # a file for the whole ranking: rank, image, class, energy
    maps: Path | None = None  # a folder of pictures: image, reconstruction and error side by side
    best: FlagCreatePairsOff[bool] = False  # take the best checkpoint, not the newest
    device: str | None = None  # cpu, cuda, cuda:1 or mps; by default the accelerator, if any
    precision: Literal["fp32", "bf16"] = "fp32"  # of matrix products


class Scored(NamedTuple):
    """An image with its energy."""

    image: str
    kind: str  # the name of its class, or ""
    energy: float


def main(argv: list[str]) -> None:
    """Score, rank, write and print."""
    chosen = parse(Score, "score", argv)
    if not chosen.images:
        raise UsageError("score: no images given: files, folders, packed or named sets")
    from ebgan.cli.experiment import find_device
    from ebgan.runs.loading import load

    run = load(chosen.run, best=chosen.best, device=find_device(chosen.device), precision=chosen.precision)
    scored: list[Scored] = []
    for source in chosen.images:
        packed = named_apart(read_for(run, source, chosen.split), source, chosen.images)
        if chosen.maps:
            write_maps(run, packed, chosen.maps, len(scored))
        scored += score(run, packed)
    ranking = sorted(scored, key=lambda each: -each.energy)
    if chosen.csv:
        write_ranking(ranking, chosen.csv)
    _print(ranking)
    if chosen.normal:
        print(f"AUROC {rank_quality(ranking, chosen.normal):.4f} of {', '.join(chosen.normal)} against the others")
    for what, path in (("ranking", chosen.csv), ("maps", chosen.maps)):
        if path:
            print(f"{what:<8}{path}")


def read_for(run: Run, source: str, split: str) -> Packed:
    """Images in the shape that a run reads: resized and cropped like its data, then padded like it.

    Of a run on pieces of images, it is the centre that is read.

    Raises DataError where their shape cannot be made to fit.
    """
    from ebgan.data import open_data

    spec = run.experiment.data
    if spec.limits is None:
        raise UsageError(
            f"{run.folder.path}: was trained on points, not images; in Python, ebgan.load(RUN).energy(points)"
        )
    channels, height, width = run.data.shape
    square = height - 2 * spec.padding if height == width else None
    size = spec.size if spec.crop else square
    packed = open_data(source, split=split, size=size, channels=channels, classes=spec.classes, white=spec.white)
    padded = packed.padded(spec.padding) if spec.padding else packed
    return padded.centred(spec.crop) if spec.crop else padded


def named_apart(packed: Packed, source: str, sources: tuple[str, ...]) -> Packed:
    """Images of one of several sources, named by the source too."""
    if len(sources) < 2:
        return packed
    from ebgan.data.store import printable

    names, told = packed.names or [f"[{place}]" for place in range(len(packed))], printable(source)
    alone = len(packed) == 1 and Path(source).is_file() and names[0] == printable(Path(source).name)
    return replace(packed, names=(told,) if alone else tuple(f"{told}/{name}" for name in names))


def score(run: Run, packed: Packed) -> list[Scored]:
    """The energy of each image of a set, in its order."""
    from ebgan.data import UNKNOWN

    energies = [energy for chunk in chunks(packed) for energy in run.energy(chunk).tolist()]
    names = packed.names or [f"{packed.name}[{place}]" for place in range(len(packed))]
    labels = [UNKNOWN] * len(packed) if packed.labels is None else packed.labels
    kinds = ["" if label == UNKNOWN else packed.classes[label] for label in labels]
    return [Scored(*each) for each in zip(names, kinds, energies, strict=True)]


def chunks(packed: Packed) -> list[Tensor]:
    """The images of a set in [-1, 1], some at a time."""
    import torch

    from ebgan.data import scaled

    return [scaled(torch.from_numpy(rows.copy()), (-1.0, 1.0)) for rows in packed.rows()]


def write_maps(run: Run, packed: Packed, folder: Path, place: int) -> None:
    """For each image a picture: itself, its reconstruction, and the error of each pixel, white from 1 on.

    Pictures are numbered from `place` on; of an image's name only the last part is used: none leaves the folder.
    """
    import torch

    from ebgan.report import grid, save_png

    names = iter(packed.names or [packed.name] * len(packed))
    for images in chunks(packed):
        reconstructions = run.reconstruct(images)
        errors = (reconstructions - images).abs().mean(1, keepdim=True).clamp(0, 1) * 2 - 1
        for triple in zip(images, reconstructions, errors.expand_as(images), strict=True):
            name = Path(next(names)).stem[:LONGEST]
            save_png(grid(torch.stack(triple), columns=3), folder / f"{place:06d}-{name}.png")
            place += 1


def write_ranking(ranking: list[Scored], path: Path) -> None:
    """The ranking as CSV."""
    from ebgan.csv_cells import csv_text
    from ebgan.runfolder import write_atomically

    rows = [(place + 1, *each) for place, each in enumerate(ranking)]
    write_atomically(path, csv_text([("rank", "image", "class", "energy"), *rows]).encode())


def rank_quality(ranking: list[Scored], normal: tuple[str, ...]) -> float:
    """The AUROC of the energy for telling the classes that are not normal, of the images whose class is known."""
    import torch

    from ebgan.metrics import auroc

    kinds = {each.kind for each in ranking}
    if unknown := set(normal) - kinds:
        there = ", ".join(sorted(kinds - {""})) or "none: the images have no classes"
        raise UsageError(f"--normal {sorted(unknown)[0]}: no such class; there is {there}")
    known = [each for each in ranking if each.kind]
    labels = torch.tensor([each.kind not in normal for each in known])
    try:
        return auroc(torch.tensor([each.energy for each in known]), labels)
    except DataError as error:
        raise DataError(f"--normal {' '.join(normal)}: {error}") from error


def _print(ranking: list[Scored]) -> None:
    for place, (image, kind, energy) in enumerate(ranking[:SHOWN]):
        print(f"{place + 1:>5}  {energy:10.4f}  {image}{f'  ({kind})' if kind else ''}")
    if len(ranking) > SHOWN:
        print(f"  ...  {len(ranking) - SHOWN:,} more")
