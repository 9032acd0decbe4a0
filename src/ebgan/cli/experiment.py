"""Functions shared by several verbs: find a recipe and a device, and change fields on the command line."""

from __future__ import annotations

import itertools
from dataclasses import field, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from tyro.conf import arg

from ebgan.cli.arguments import parse
from ebgan.cli.loading import unswept
from ebgan.errors import UsageError
from ebgan.user_code import is_code, load_files

if TYPE_CHECKING:
    import torch

    from ebgan.experiment import Experiment

Kind = TypeVar("Kind")


@unswept()
def find_experiment(recipe: str, argv: list[str]) -> Experiment:
    """The experiment given by a recipe's name, a config file, or a function in a Python file (FILE.py:FUNCTION).

    `argv` are the arguments after it: files given by `--code` are loaded first, since a config may need them.
    """
    load_files(_code(argv))
    if not _is_config(recipe):
        from ebgan.recipes import find

        return find(recipe).make()
    from ebgan.experiment import read_experiment

    return read_experiment(Path(recipe))


def is_recipe(word: str) -> bool:
    """Whether a word is a recipe's name, a config file, a Python file or a function in one."""
    from ebgan.recipes import index

    return index.is_recipe(word) or _is_config(word) or is_code(word)


def _code(argv: list[str]) -> list[str]:
    """The files given by `--code`, found before the other options are parsed."""
    given = [word.partition("=")[2] for word in argv if word.startswith("--code=")]
    return given + [word for option, word in itertools.pairwise(argv) if option == "--code"]


def _is_config(word: str) -> bool:
    return not is_code(word) and (Path(word).suffix in (".yaml", ".yml") or Path(word).is_file())


def find_device(name: str | None) -> torch.device:
    """The device with this name; for None the accelerator if there is one, else the CPU. Raises UsageError."""
    from ebgan.distributed import usable_device

    return usable_device(name, "--device ")


def named_device(name: str) -> torch.device:
    """The device with this name, which need not exist on this machine. Raises UsageError for an invalid name."""
    import torch

    try:
        return torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"--device {name}: no such kind of device: {str(error).splitlines()[0]}") from error


@unswept()
def with_fields(kind: type[Kind], verb: str, base: Experiment, argv: list[str]) -> tuple[Kind, Experiment]:
    """Parse a verb's options, and an experiment's fields as further options; `base` gives the fields' defaults."""
    from ebgan.experiment import Experiment

    fields = [("experiment", Annotated[Experiment, arg(name="")], field(default=base))]
    both: Any = make_dataclass("Both", fields, bases=(kind,), frozen=True, namespace={"__doc__": kind.__doc__})
    parsed = parse(both, verb, [_in_full(word) for word in argv])
    experiment: Experiment = parsed.experiment
    if parsed.source is not None:
        from ebgan.experiment.sources import with_source

        experiment = with_source(experiment, parsed.source)
    return parsed, experiment


def _in_full(word: str) -> str:
    """Replace `--size` by the field that it abbreviates, `--data.size`."""
    name, equals, value = word.partition("=")
    return f"--data.size{equals}{value}" if name == "--size" else word
