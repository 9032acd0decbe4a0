"""`ebgan evaluate RUN`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg

from ebgan.cli.arguments import parse


@dataclass(frozen=True)
class Evaluate:
    """Measure fresh samples of a run against its data."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # a run folder
    samples: int | None = None  # how many the metrics are taken over; by default as while training
    source: Annotated[str | None, arg(name="data")] = None  # the run's data, if it is no longer where it was
    json: FlagCreatePairsOff[bool] = False  # print one JSON object
    best: FlagCreatePairsOff[bool] = False  # take the best checkpoint, not the newest
    device: str | None = None  # cpu, cuda, cuda:1 or mps; by default the accelerator, if any
    precision: Literal["fp32", "bf16"] = "fp32"  # of matrix products


def main(argv: list[str]) -> None:
    """Measure and print."""
    chosen = parse(Evaluate, "evaluate", argv)
    import json

    from rich.console import Console

    from ebgan.cli.experiment import find_device
    from ebgan.cli.progress import metrics_table
    from ebgan.run import load
    from ebgan.trainer import examiner_of, with_source

    run = load(chosen.run, best=chosen.best, device=find_device(chosen.device), precision=chosen.precision)
    experiment = run.experiment if chosen.source is None else with_source(run.experiment, chosen.source)
    samples = chosen.samples or experiment.evaluation.samples
    record = examiner_of(run, experiment.data.open(), samples).measure()
    if chosen.json:
        print(json.dumps(record))
    else:
        Console().print(metrics_table(record, str(chosen.run)))
        print("; ".join(f"{name} {value}" for name, value in record["protocol"].items()))
