"""`ebgan score RUN IMAGES...`: the energy as an anomaly score."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from tyro.conf import FlagCreatePairsOff, Positional, UseAppendAction, arg

from ebgan.cli.arguments import ReadsClasses, parse
from ebgan.errors import DataError, NoSplitError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from ebgan.cli.judging import Judge
    from ebgan.data import Packed
    from ebgan.runs.run import Run

LONGEST = 100  # most characters of an image's name in the file name of its map
SHOWN = 20  # images printed; the rest are counted


@dataclass(frozen=True)
class Score(ReadsClasses):
    """Rank images by a run's energy, the most anomalous first.

    Images are read like the run's data. With class folders or labels, --normal names the normal classes, and AUROC and
    average precision measure how well the energy separates the others. With --contamination each image is called
    normal or anomalous, by the threshold that is exceeded by this share of normal images; the energies of these are
    stored in the run folder.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # a run folder
    images: Annotated[Positional[tuple[str, ...]], arg(metavar="IMAGES...")]  # files, folders, packed or named sets
    split: Literal["train", "test"] = "train"  # of a set that has both
    normal: UseAppendAction[tuple[str, ...]] = ()  # a normal class; may be given several times
    normals: str | None = (
        None  # normal images that were not trained on (of a named set, its test split); their energies are stored
    )
    contamination: float | None = None  # the share of normal images that may be called anomalous, such as 0.01
    csv: Path | None = None  # a file for the whole ranking: rank, image, class, energy, and p_value and verdict if any
    maps: Path | None = None  # a folder for pictures: image, reconstruction and error side by side
    best: FlagCreatePairsOff[bool] = False  # take the best checkpoint instead of the newest
    device: str | None = None  # cpu, cuda, cuda:1 or mps; by default the accelerator, if any
    precision: Literal["fp32", "bf16"] = "fp32"  # of matrix products


class Scored(NamedTuple):
    """An image with its energy."""

    image: str  # its name
    kind: str  # the name of its class, or ""
    energy: float


def main(argv: list[str]) -> None:
    """Score and rank images, write the files, and print the first ones."""
    chosen = parse(Score, "score", argv)
    if not chosen.images:
        raise UsageError("score: no images given: expected files, folders, packed or named sets")
    from ebgan.cli.experiment import find_device
    from ebgan.runs.loading import load

    if chosen.normals and chosen.contamination is None:
        raise UsageError("--normals: give --contamination too, the share of them that may be called anomalous")
    run = load(chosen.run, best=chosen.best, device=find_device(chosen.device), precision=chosen.precision)
    judge = judge_of(run, chosen)
    scored: list[Scored] = []
    for source in chosen.images:
        packed = named_apart(read_for(run, source, chosen.split), source, chosen.images)
        if chosen.maps:
            write_maps(run, packed, chosen.maps, len(scored))
        scored += score(run, packed)
    ranking = sorted(scored, key=lambda each: -each.energy)
    if chosen.csv:
        write_ranking(ranking, chosen.csv, judge)
    _print(ranking, judge)
    if chosen.normal:
        area, precision = rank_quality(ranking, chosen.normal)
        print(f"AUROC {area:.4f} of {', '.join(chosen.normal)} against the others, average precision {precision:.4f}")
    if judge:
        expected = [each.kind not in chosen.normal if chosen.normal and each.kind else None for each in ranking]
        print("\n".join(judge.words([each.energy for each in ranking], expected)))
    for what, path in (("ranking", chosen.csv), ("maps", chosen.maps)):
        if path:
            print(f"{what:<8}{path}")


def judge_of(run: Run, chosen: Score) -> Judge | None:
    """The threshold for calling images anomalous, if --contamination is given; else None."""
    if chosen.contamination is None:
        return None
    from ebgan.cli.judging import Judge

    normals = chosen.normals
    energies = None if normals is None else [each.energy for each in score(run, read_normals(run, normals))]
    return Judge.of(run, energies, normals or "", chosen.contamination)


def read_normals(run: Run, source: str) -> Packed:
    """Open normal images: the test split of a set if it has one, else the whole set."""
    try:
        return read_for(run, source, "test")
    except NoSplitError:
        return read_for(run, source, "train")


def read_for(run: Run, source: str, split: str) -> Packed:
    """Open images in the shape that a run takes: cropped, resized and padded like its data.

    If the run was trained on random crops, the centres are taken. Raises DataError if the images cannot be brought to
    that shape, UsageError for a run on points.
    """
    from ebgan.data import open_data

    spec = run.experiment.data
    if spec.limits is None:
        raise UsageError(
            f"{run.folder.path}: was trained on points, not images: use `ebgan.load(RUN).energy(points)` in Python"
        )
    channels, height, width = run.data.shape
    square = height - 2 * spec.padding if height == width else None
    size = spec.size if spec.crop else square
    packed = open_data(source, split=split, size=size, channels=channels, classes=spec.classes, white=spec.white)
    padded = packed.padded(spec.padding) if spec.padding else packed
    return padded.centred(spec.crop) if spec.crop else padded


def named_apart(packed: Packed, source: str, sources: tuple[str, ...]) -> Packed:
    """The images of a source; if there are several sources, with the source's name before each image's name."""
    if len(sources) < 2:
        return packed
    from ebgan.data.store import printable

    names, prefix = packed.names or [f"[{index}]" for index in range(len(packed))], printable(source)
    is_file = len(packed) == 1 and Path(source).is_file() and names[0] == printable(Path(source).name)
    return replace(packed, names=(prefix,) if is_file else tuple(f"{prefix}/{name}" for name in names))


def score(run: Run, packed: Packed) -> list[Scored]:
    """The energy of each image of a set, in the set's order."""
    from ebgan.data import UNKNOWN

    energies = [energy for chunk in chunks(packed) for energy in run.energy(chunk).tolist()]
    names = packed.names or [f"{packed.name}[{index}]" for index in range(len(packed))]
    labels = [UNKNOWN] * len(packed) if packed.labels is None else packed.labels
    kinds = ["" if label == UNKNOWN else packed.classes[label] for label in labels]
    return [Scored(*each) for each in zip(names, kinds, energies, strict=True)]


def chunks(packed: Packed) -> list[Tensor]:
    """The images of a set as tensors [n, C, H, W] in [-1, 1], some at a time."""
    import torch

    from ebgan.data import scaled

    return [scaled(torch.from_numpy(rows.copy()), (-1.0, 1.0)) for rows in packed.rows()]


def write_maps(run: Run, packed: Packed, folder: Path, index: int) -> None:
    """Write a picture for each image: the image, its reconstruction, and the absolute error of each pixel.

    An error of 1 or more is white. File names begin with a number, from `index` on, and end with the last part of the
    image's name, so that all files lie in `folder`.
    """
    import torch

    from ebgan.report import grid, save_png

    names = iter(packed.names or [packed.name] * len(packed))
    for images in chunks(packed):
        reconstructions = run.reconstruct(images)
        errors = (reconstructions - images).abs().mean(1, keepdim=True).clamp(0, 1) * 2 - 1
        for triple in zip(images, reconstructions, errors.expand_as(images), strict=True):
            name = Path(next(names)).stem[:LONGEST]
            save_png(grid(torch.stack(triple), columns=3), folder / f"{index:06d}-{name}.png")
            index += 1


def write_ranking(ranking: list[Scored], path: Path, judge: Judge | None = None) -> None:
    """Write the ranking as CSV, with p-values and verdicts if there is a threshold."""
    from ebgan.csv_cells import csv_text
    from ebgan.storage.files import write_atomically

    heading = ("rank", "image", "class", "energy", *(("p_value", "verdict") if judge else ()))
    rows = [
        (index + 1, *each, *((judge.p_value(each.energy), judge.verdict(each.energy)) if judge else ()))
        for index, each in enumerate(ranking)
    ]
    write_atomically(path, csv_text([heading, *rows]).encode())


def rank_quality(ranking: list[Scored], normal: tuple[str, ...]) -> tuple[float, float]:
    """AUROC and average precision of the energy at detecting the other classes, over images whose class is known.

    Raises UsageError for an unknown class, DataError if all images are normal or none is.
    """
    import torch

    from ebgan.metrics import auroc, average_precision

    kinds = {each.kind for each in ranking}
    if unknown := set(normal) - kinds:
        there = ", ".join(sorted(kinds - {""})) or "none: the images have no classes"
        raise UsageError(f"--normal {sorted(unknown)[0]}: no such class; there are {there}")
    known = [each for each in ranking if each.kind]
    labels = torch.tensor([each.kind not in normal for each in known])
    try:
        energies = torch.tensor([each.energy for each in known])
        return auroc(energies, labels), average_precision(energies, labels)
    except DataError as error:
        raise DataError(f"--normal {' '.join(normal)}: {error}") from error


def _print(ranking: list[Scored], judge: Judge | None) -> None:
    for index, (image, kind, energy) in enumerate(ranking[:SHOWN]):
        judged = f"{judge.verdict(energy):<9}  p {judge.p_value(energy):<8.3g}  " if judge else ""
        print(f"{index + 1:>5}  {energy:10.4f}  {judged}{image}{f'  ({kind})' if kind else ''}")
    if len(ranking) > SHOWN:
        print(f"  ...  {len(ranking) - SHOWN:,} more")
