"""`ebgan train RECIPE [OUT] [--FIELD VALUE ...]`."""

from __future__ import annotations

import logging
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg

from ebgan.cli.arguments import Named, ReadsClasses, parse
from ebgan.errors import UsageError
from ebgan.user_code import is_code, stem

if TYPE_CHECKING:
    from ebgan.experiment import Experiment
    from ebgan.runs.tracking.following import Tracker
    from ebgan.training.log import Observer


@dataclass(frozen=True)
class Options(ReadsClasses):
    """Train into a run folder; the same command again goes on from the newest checkpoint."""

    out: Annotated[Positional[Path | None], arg(metavar="[OUT]", help="the run folder; runs/RECIPE by default")] = None
    source: Annotated[str | None, arg(name="data", help="a folder or file in place of the recipe's data")] = None
    size: Annotated[int | None, arg(help="height and width of the data's pictures: short for --data.size")] = None
    labels: Annotated[str | None, arg(help="a CSV file with the classes of some of a folder's images")] = None
    device: Annotated[str | None, arg(help="cpu, cuda, cuda:1 or mps; by default the accelerator, if any")] = None
    devices: Annotated[int, arg(help="how many devices train together")] = 1
    timeout: Annotated[
        float, arg(help="minutes without a sign of life after which one of several processes counts as lost")
    ] = 10.0
    log: Annotated[
        Literal["tensorboard", "wandb", "trackio", "mlflow"] | None,
        arg(help="a tracker that is told of hyper-parameters, curves and pictures, too"),
    ] = None
    quiet: Annotated[FlagCreatePairsOff[bool], arg(help="print nothing but errors")] = False
    override_config: Annotated[
        FlagCreatePairsOff[bool], arg(help="go on with what is in the folder although the config has changed")
    ] = False
    override_data: Annotated[
        FlagCreatePairsOff[bool], arg(help="go on with what is in the folder although the data have changed")
    ] = False


@dataclass(frozen=True)
class Train(Options, Named):  # the fields of the last base come first, as RECIPE does
    """Train into a run folder; the same command again goes on from the newest checkpoint.

    `ebgan train RECIPE --help` lists every field of the recipe that can be changed by --FIELD VALUE.
    """


def main(argv: list[str]) -> None:
    """Train, and say where everything is."""
    if not argv or argv[0].startswith("-"):
        parse(Train, "train", argv)
    from ebgan.cli.experiment import find_device, find_experiment, with_fields

    _refuse_swapped(*argv[:2])
    options, experiment = with_fields(Options, f"train {argv[0]}", find_experiment(argv[0], argv[1:]), argv[1:])
    _refuse_truth(options.out)
    from ebgan.cli.progress import print_summary
    from ebgan.distributed.launching import ranks
    from ebgan.experiment.sources import with_labels
    from ebgan.runs.trainer import train

    if options.labels is not None:
        experiment = with_labels(experiment, options.labels)

    out = options.out or Path("runs") / experiment_name(argv[0])
    with ranks(find_device(options.device), options.devices, options.timeout) as device:
        with progress_of(experiment, options.quiet) as shown, _tracked(options.log, out, shown) as observer:
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
    """Who shows the progress: a bar on a terminal, lines elsewhere, and nobody if it is to be quiet."""
    from ebgan.cli.progress import ProgressBar
    from ebgan.cli.progress_lines import ProgressLines

    if quiet:
        logging.getLogger("ebgan").setLevel(logging.ERROR)
        return nullcontext()
    bar = ProgressBar(experiment)
    return bar if sys.stderr.isatty() and bar.console.is_interactive else nullcontext(ProgressLines(experiment))


def _tracked(tracker: Tracker | None, out: Path, observer: Observer | None) -> AbstractContextManager[Observer | None]:
    """The observer, and the tracker beside it if one is asked for."""
    from ebgan.runs.tracking import tracked

    return tracked(tracker, out, observer) if tracker else nullcontext(observer)


def _refuse_swapped(recipe: str, out: str = "-") -> None:
    """Raise UsageError where the folder stands before the recipe."""
    from ebgan.cli.experiment import is_recipe

    if not out.startswith("-") and is_recipe(out) and not is_recipe(recipe):
        raise UsageError(f"{recipe} is no recipe, but {out} is: the recipe comes first: `ebgan train {out} {recipe}`")


def _refuse_truth(out: Path | None) -> None:
    """Raise UsageError for a folder that was meant as the value of a field."""
    if str(out) in ("True", "False", "true", "false"):
        raise UsageError(
            f"{out}: taken for the run folder, as a field that is true or false is a flag: give --FIELD or --no-FIELD "
            "without a value (--data.flip, --data.no-flip)"
        )


def experiment_name(recipe: str) -> str:
    """What a run is called by default: the recipe, or the folder or file of a config."""
    if is_code(recipe):
        return stem(recipe)
    path = Path(recipe)
    if path.suffix not in (".yaml", ".yml"):
        return recipe
    return path.resolve().parent.name if path.stem == "config" else path.stem
