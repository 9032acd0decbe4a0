"""`ebgan evaluate RUN`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg

from ebgan.cli.arguments import ReadsClasses, parse
from ebgan.errors import DataError, UsageError

if TYPE_CHECKING:
    from ebgan.data import Dataset
    from ebgan.runs.run import Run
    from ebgan.storage.runfolder import Record


@dataclass(frozen=True)
class Evaluate(ReadsClasses):
    """Measure fresh samples of a run against its data."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # a run folder
    samples: int | None = None  # number of samples; by default as in training
    neighbours: Path | None = None  # a PNG file of the samples nearest to the data, beside their nearest images
    inception: FlagCreatePairsOff[bool] = False  # also FID and KID on InceptionV3; needs the extra `inception`
    weights: Path | None = None  # like --inception, with the weights of InceptionV3 from this file
    classes: Path | None = None  # like --inception, and the inception score, with InceptionV3's classes from this file
    source: Annotated[str | None, arg(name="data")] = None  # the run's data, if it was moved
    json: FlagCreatePairsOff[bool] = False  # print one JSON object
    best: FlagCreatePairsOff[bool] = False  # take the best checkpoint instead of the newest
    device: str | None = None  # cpu, cuda, cuda:1 or mps; by default the accelerator, if any
    precision: Literal["fp32", "bf16"] = "fp32"  # of matrix products


def main(argv: list[str]) -> None:
    """Measure the samples of a run, and print the metrics."""
    chosen = parse(Evaluate, "evaluate", argv)
    if chosen.samples is not None and chosen.samples < 2:
        raise UsageError(f"--samples {chosen.samples}: expected at least 2")
    import json
    from dataclasses import replace

    from rich.console import Console

    from ebgan.cli.experiment import find_device
    from ebgan.cli.progress import metrics_table
    from ebgan.experiment.sources import with_source
    from ebgan.runs.loading import load

    run = load(chosen.run, best=chosen.best, device=find_device(chosen.device), precision=chosen.precision)
    if chosen.source is not None:
        run = replace(run, experiment=with_source(run.experiment, chosen.source))
    samples = chosen.samples or run.experiment.evaluation.samples
    record = _measured(run, _opened(run, chosen.source), samples, chosen)
    if chosen.json:
        print(json.dumps(record))
    else:
        Console().print(metrics_table(record, str(chosen.run)))
        print("; ".join(f"{name} {value}" for name, value in record["protocol"].items()))
        if chosen.neighbours:
            print(f"neighbours {chosen.neighbours}")


def _opened(run: Run, source: str | None) -> Dataset:
    """The data to measure against. Raises DataError, with the option --data, if the run's data cannot be opened."""
    try:
        return run.experiment.data.open()
    except DataError as error:
        if source is not None:
            raise
        raise DataError(f"{error} This is the data of the run: if it was moved, give --data PATH") from error


def _measured(run: Run, data: Dataset, samples: int, chosen: Evaluate) -> Record:
    """The metrics of fresh samples, with the requested additions; these need no classes in the data."""
    from ebgan.runs.looks import examiner_of

    parts: list[Record] = []
    if chosen.neighbours:
        parts.append(_neighbours(run, data, chosen.neighbours))
    if chosen.inception or chosen.weights or chosen.classes:
        parts.append(_inception(run, data, samples, chosen))
    examiner = examiner_of(run, data, samples)
    if examiner.measurable or not parts:
        parts.insert(0, examiner.measure())
    record, *others = parts
    for other in others:
        record = record | {name: record[name] | other[name] for name in ("metrics", "protocol")}
    return record


def _inception(run: Run, data: Dataset, samples: int, chosen: Evaluate) -> Record:
    """FID and KID on the features of InceptionV3, and the inception score on its classes."""
    from ebgan.data import Points
    from ebgan.metrics.inception_v3 import load_classes, load_inception
    from ebgan.runs.inception import inception_distances

    if isinstance(data, Points):
        raise UsageError("--inception: this run was trained on points, and InceptionV3 takes images")
    classes = load_classes(chosen.classes) if chosen.classes else None
    net = load_inception(chosen.weights, run.device)
    return inception_distances(run, data, samples, net, classes).as_record()


def _neighbours(run: Run, data: Dataset, path: Path) -> Record:
    """Draw the samples nearest to the data, and measure the distances of samples and real images to it."""
    from ebgan.data import Points
    from ebgan.report import save_png
    from ebgan.runs.neighbours import find_neighbours, measure, picture

    if isinstance(data, Points):
        raise UsageError(f"--neighbours {path}: this run was trained on points; neighbours are drawn only of images")
    found = find_neighbours(run, data)
    save_png(picture(found, data), path)
    return measure(found).as_record()
