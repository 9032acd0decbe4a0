"""Arguments by tyro, with errors in one line."""

from __future__ import annotations

import contextlib
import io
import os
import re
from dataclasses import dataclass
from typing import Annotated, TypeVar

import tyro
from tyro.conf import FlagCreatePairsOff, Positional, arg

from ebgan.errors import UsageError

Kind = TypeVar("Kind")
NO_CACHE = "EBGAN_NO_CACHE"  # as ebgan.data has it, which is not loaded for a --help
_FRAME = re.compile("[\u2500-\u257f]+")
_POINTERS = ("For full helptext", "Argument helptext")


@dataclass(frozen=True)
class Named:
    """The recipe that a verb begins with."""

    recipe: Annotated[Positional[str], arg(metavar="RECIPE", help="a name from `ebgan recipes`, or a config.yaml")]


@dataclass(frozen=True, kw_only=True)
class OpensData:
    """What a verb has that opens data."""

    cache: Annotated[FlagCreatePairsOff[bool], arg(help="decode pictures anew, and keep none in the cache folder")] = (
        True
    )


def parse(kind: type[Kind], verb: str, argv: list[str]) -> Kind:
    """The arguments of a verb. Raises UsageError with what is wrong on one line; --help prints and exits."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            parsed = tyro.cli(kind, prog=f"ebgan {verb}", args=argv, config=(tyro.conf.AvoidSubcommands,))
    except SystemExit as leaving:
        if leaving.code in (0, None):
            raise
        raise UsageError(f"{_one_line(said.getvalue())} (see `ebgan {verb} --help`)") from None
    if isinstance(parsed, OpensData) and not parsed.cache:
        os.environ[NO_CACHE] = "1"  # which the processes that this one starts see too
    return parsed


def _one_line(boxed: str) -> str:
    """The words of a framed message, without its title, rules and pointers to the help."""
    lines = [_FRAME.sub(" ", line).strip() for line in boxed.splitlines()[1:]]
    words = []
    for line in lines:
        if line.startswith(_POINTERS):
            break
        words.append(line)
    return " ".join(" ".join(words).split())
