"""`ebgan train RECIPE [OUT] [--FIELD VALUE ...]`."""

from __future__ import annotations

import logging
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg

from ebgan.cli.arguments import Named, ReadsClasses, parse
from ebgan.errors import UsageError
from ebgan.user_code import is_code, stem

if TYPE_CHECKING:
    from ebgan.experiment import Experiment
    from ebgan.training.log import Observer


@dataclass(frozen=True)
class TrainOptions(ReadsClasses):
    """Train into a run folder; the same command again resumes from the newest checkpoint."""

    out: Annotated[Positional[Path | None], arg(metavar="[OUT]", help="the run folder; runs/RECIPE by default")] = None
    source: Annotated[str | None, arg(name="data", help="a folder or file instead of the recipe's data")] = None
    size: Annotated[int | None, arg(help="height and width of the data's pictures: short for --data.size")] = None
    labels: Annotated[str | None, arg(help="a CSV file with the classes of some of a folder's images")] = None
    device: Annotated[str | None, arg(help="cpu, cuda, cuda:1 or mps; by default the accelerator, if any")] = None
    devices: Annotated[int, arg(help="number of devices that train together")] = 1
    timeout: Annotated[float, arg(help="minutes without an answer after which another process counts as lost")] = 10.0
    quiet: Annotated[FlagCreatePairsOff[bool], arg(help="print only errors")] = False
    override_config: Annotated[FlagCreatePairsOff[bool], arg(help="resume the run although the config has changed")] = (
        False
    )
    override_data: Annotated[FlagCreatePairsOff[bool], arg(help="resume the run although the data has changed")] = False


@dataclass(frozen=True)
class Train(TrainOptions, Named):  # the fields of the last base come first, as RECIPE does
    """Train into a run folder; the same command again resumes from the newest checkpoint.

    `ebgan train RECIPE --help` lists every field of the recipe that can be changed by --FIELD VALUE.
    """


def main(argv: list[str]) -> None:
    """Train, and print the results and the paths of the files."""
    if not argv or argv[0].startswith("-"):
        parse(Train, "train", argv)
    from ebgan.cli.experiment import find_device, find_experiment, with_fields

    _refuse_swapped(*argv[:2])
    options, experiment = with_fields(TrainOptions, f"train {argv[0]}", find_experiment(argv[0], argv[1:]), argv[1:])
    _refuse_bool(options.out)
    from ebgan.cli.progress import print_summary
    from ebgan.distributed.launching import ranks
    from ebgan.experiment.sources import with_labels
    from ebgan.runs.trainer import train

    if options.labels is not None:
        experiment = with_labels(experiment, options.labels)

    out = options.out or Path("runs") / experiment_name(argv[0])
    with ranks(find_device(options.device), options.devices, options.timeout) as device:
        with progress_of(experiment, options.quiet) as observer:
            train(
                experiment,
                out,
                device=device,
                observer=observer,
                override_config=options.override_config,
                override_data=options.override_data,
            )
        if not options.quiet:
            print_summary(out)


def progress_of(experiment: Experiment, quiet: bool) -> AbstractContextManager[Observer | None]:
    """The observer that shows the progress: a bar on a terminal, else lines; None if `quiet`."""
    from ebgan.cli.progress import ProgressBar
    from ebgan.cli.progress_lines import ProgressLines

    if quiet:
        logging.getLogger("ebgan").setLevel(logging.ERROR)
        return nullcontext()
    bar = ProgressBar(experiment)
    return bar if sys.stderr.isatty() and bar.console.is_interactive else nullcontext(ProgressLines(experiment))


def _refuse_swapped(recipe: str, out: str = "-") -> None:
    """Raise UsageError if the folder comes before the recipe."""
    from ebgan.cli.experiment import is_recipe

    if not out.startswith("-") and is_recipe(out) and not is_recipe(recipe):
        raise UsageError(
            f"{recipe} is not a recipe, but {out} is: the recipe comes first: `ebgan train {out} {recipe}`"
        )


def _refuse_bool(out: Path | None) -> None:
    """Raise UsageError for a run folder named True or False, which was meant as the value of a field."""
    if str(out) in ("True", "False", "true", "false"):
        raise UsageError(
            f"{out}: read as the run folder: fields that are true or false take no value: give --FIELD or --no-FIELD "
            "(--data.flip, --data.no-flip)"
        )


def experiment_name(recipe: str) -> str:
    """The default name of a run: the recipe's, or that of a config's folder or file."""
    if is_code(recipe):
        return stem(recipe)
    path = Path(recipe)
    if path.suffix not in (".yaml", ".yml"):
        return recipe
    return path.resolve().parent.name if path.stem == "config" else path.stem
