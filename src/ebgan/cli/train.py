"""`ebgan train RECIPE [OUT] [--FIELD VALUE ...]`."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from tyro.conf import FlagCreatePairsOff, Positional, arg

from ebgan.cli.arguments import parse
from ebgan.errors import UsageError

if TYPE_CHECKING:
    import torch

    from ebgan.experiment import Experiment


Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Options:
    """Train into a run folder; the same command again goes on from the newest checkpoint."""

    out: Annotated[Positional[Path | None], arg(metavar="[OUT]", help="the run folder; runs/RECIPE by default")] = None
    source: Annotated[str | None, arg(name="data", help="a folder or file in place of the recipe's data")] = None
    device: Annotated[str | None, arg(help="cpu, cuda, cuda:1 or mps; by default the accelerator, if any")] = None
    devices: Annotated[int, arg(help="how many devices train together")] = 1
    override: Annotated[
        FlagCreatePairsOff[bool], arg(help="go on with what is in the folder although the config has changed")
    ] = False


@dataclass(frozen=True, kw_only=True)
class Train(Options):
    """Train into a run folder; the same command again goes on from the newest checkpoint.

    `ebgan train RECIPE --help` lists every field of the recipe that can be changed by --FIELD VALUE.
    """

    recipe: Annotated[Positional[str], arg(metavar="RECIPE", help="a name from `ebgan recipes`, or a config.yaml")]


def main(argv: list[str]) -> None:
    """Train, and say where everything is."""
    if not argv or argv[0].startswith("-"):
        parse(Train, "train", argv)
    options, experiment = with_fields(Options, f"train {argv[0]}", find_experiment(argv[0]), argv[1:])
    from ebgan.cli.progress import ProgressBar
    from ebgan.distributed import ranks
    from ebgan.trainer import train

    out = options.out or Path("runs") / experiment_name(argv[0])
    with ranks(find_device(options.device), options.devices) as device:
        with ProgressBar(experiment) as bar:
            train(experiment, out, device=device, observer=bar, override=options.override)
        bar.summary(out)


def experiment_name(recipe: str) -> str:
    """What a run is called by default: the recipe, or the folder or file of a config."""
    path = Path(recipe)
    if path.suffix not in (".yaml", ".yml"):
        return recipe
    return path.resolve().parent.name if path.stem == "config" else path.stem


def find_experiment(recipe: str) -> Experiment:
    """The experiment of a recipe's name or of a config file."""
    from ebgan.experiment import read_experiment
    from ebgan.recipes import find

    path = Path(recipe)
    return read_experiment(path) if path.suffix in (".yaml", ".yml") or path.is_file() else find(recipe).make()


def find_device(name: str | None) -> torch.device:
    """The device of a name, or the accelerator if there is one, or the CPU."""
    import torch

    from ebgan.distributed import default_device

    try:
        return default_device() if name is None else torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"--device {name}: not to be had here: {str(error).splitlines()[0]}") from error


def with_fields(kind: type[Kind], verb: str, base: Experiment, argv: list[str]) -> tuple[Kind, Experiment]:
    """A verb's own options and an experiment with its fields changed, by one parser."""
    from ebgan.experiment import Experiment

    fields = [("experiment", Annotated[Experiment, arg(name="")], field(default=base))]
    both: Any = make_dataclass("Both", fields, bases=(kind,), frozen=True, namespace={"__doc__": kind.__doc__})
    parsed = parse(both, verb, argv)
    experiment: Experiment = parsed.experiment
    if parsed.source is not None:
        experiment = replace(experiment, data=replace(experiment.data, source=_absolute(parsed.source)))
    return parsed, experiment


def _absolute(source: str) -> str:
    """A path in full, so that the run finds it from anywhere; a set's name as it is."""
    path = Path(source).expanduser()
    return str(path.resolve()) if path.exists() else source
