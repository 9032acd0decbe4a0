"""Arguments by tyro, with errors in one line."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import tyro
from tyro.conf import FlagCreatePairsOff, Positional, UseAppendAction, arg

from ebgan.cli.values import rules
from ebgan.cli.wording import option_names, plain_error, plain_help
from ebgan.errors import UsageError
from ebgan.user_code import load_files

Kind = TypeVar("Kind")
NO_CACHE = "EBGAN_NO_CACHE"  # as ebgan.data has it, which is not loaded for a --help
NARROWEST, WIDEST = 60, 100  # columns of a help text


@dataclass(frozen=True)
class Named:
    """The recipe that a verb begins with."""

    recipe: Annotated[
        Positional[str], arg(metavar="RECIPE", help="a name from `ebgan recipes`, a config.yaml, or FILE.py:FUNCTION")
    ]


@dataclass(frozen=True, kw_only=True)
class OpensData:
    """Options of every verb that opens data."""

    cache: Annotated[FlagCreatePairsOff[bool], arg(help="decode pictures anew, and keep none in the cache folder")] = (
        True
    )


@dataclass(frozen=True, kw_only=True)
class ReadsClasses(OpensData):
    """Options of every verb that reads a config, which may name classes of the user's own."""

    code: Annotated[
        UseAppendAction[tuple[Path, ...]],
        arg(help="a Python file with the classes of your own that the run was trained with; several by several times"),
    ] = ()


def parse(kind: type[Kind], verb: str, argv: list[str]) -> Kind:
    """The arguments of a verb. Raises UsageError with what is wrong on one line; --help prints and exits."""
    said, helped = io.StringIO(), io.TextIOWrapper(io.BytesIO(), encoding=sys.stdout.encoding)
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(helped), _one_column():
            parsed = _parsed(kind, verb, argv)
    except SystemExit as leaving:
        if leaving.code in (0, None):
            print(plain_help(_written(helped)))
            raise
        message = plain_error(said.getvalue(), argv, option_names(help_text(kind, verb)))
        raise UsageError(f"{message} (see `ebgan {verb} --help`)") from None
    if isinstance(parsed, OpensData) and not parsed.cache:
        os.environ[NO_CACHE] = "1"  # which the processes that this one starts see too
    if isinstance(parsed, ReadsClasses):
        load_files(parsed.code)
    return parsed


def help_text(kind: type[Kind], verb: str) -> str:
    """The text that `--help` of a verb prints."""
    helped = io.TextIOWrapper(io.BytesIO(), encoding=sys.stdout.encoding)
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(helped), _one_column():
        _parsed(kind, verb, ["--help"])
    return plain_help(_written(helped))


def _parsed(kind: type[Kind], verb: str, argv: list[str]) -> Kind:
    with rules():
        return tyro.cli(kind, prog=f"ebgan {verb}", args=argv, config=(tyro.conf.AvoidSubcommands,))


def _written(file: io.TextIOWrapper) -> str:
    file.seek(0)
    return file.read()


@contextlib.contextmanager
def _one_column() -> Iterator[None]:
    """A context in which help texts have one column, however wide the terminal is."""
    before, width = os.environ.get("COLUMNS"), shutil.get_terminal_size().columns
    os.environ["COLUMNS"] = str(min(max(width, NARROWEST), WIDEST))
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
