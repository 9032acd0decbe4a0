"""Parse command-line arguments with tyro, with each error on one line."""

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
NO_CACHE = "EBGAN_NO_CACHE"  # the same as in ebgan.data, which is slow to import
NARROWEST, WIDEST = 60, 100  # columns of a help text


@dataclass(frozen=True)
class Named:
    """The first argument of verbs that take a recipe."""

    recipe: Annotated[
        Positional[str], arg(metavar="RECIPE", help="a name from `ebgan recipes`, a config.yaml, or FILE.py:FUNCTION")
    ]


@dataclass(frozen=True, kw_only=True)
class OpensData:
    """Options of every verb that opens data."""

    cache: Annotated[FlagCreatePairsOff[bool], arg(help="do not read or write the cache of decoded pictures")] = True


@dataclass(frozen=True, kw_only=True)
class ReadsClasses(OpensData):
    """Options of every verb that reads a config, which may name the user's own classes."""

    code: Annotated[
        UseAppendAction[tuple[Path, ...]],
        arg(help="a Python file with your own classes that the run uses; may be given several times"),
    ] = ()


def parse(kind: type[Kind], verb: str, argv: list[str]) -> Kind:
    """Parse a verb's arguments to its dataclass `kind`. Raises UsageError, one line; --help prints and exits."""
    errors, output = io.StringIO(), io.TextIOWrapper(io.BytesIO(), encoding=sys.stdout.encoding)
    try:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(output), _one_column():
            parsed = _parsed(kind, verb, argv)
    except SystemExit as leaving:
        if leaving.code in (0, None):
            print(plain_help(_written(output)))
            raise
        message = plain_error(errors.getvalue(), argv, option_names(help_text(kind, verb)))
        raise UsageError(f"{message} (see `ebgan {verb} --help`)") from None
    if isinstance(parsed, OpensData) and not parsed.cache:
        os.environ[NO_CACHE] = "1"  # child processes inherit it
    if isinstance(parsed, ReadsClasses):
        load_files(parsed.code)
    return parsed


def help_text(kind: type[Kind], verb: str) -> str:
    """The text that `--help` of a verb prints."""
    output = io.TextIOWrapper(io.BytesIO(), encoding=sys.stdout.encoding)
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(output), _one_column():
        _parsed(kind, verb, ["--help"])
    return plain_help(_written(output))


def _parsed(kind: type[Kind], verb: str, argv: list[str]) -> Kind:
    with rules():
        return tyro.cli(kind, prog=f"ebgan {verb}", args=argv, config=(tyro.conf.AvoidSubcommands,))


def _written(file: io.TextIOWrapper) -> str:
    file.seek(0)
    return file.read()


@contextlib.contextmanager
def _one_column() -> Iterator[None]:
    """A context in which help texts are at most WIDEST columns wide, so that tyro prints one column of options."""
    before, width = os.environ.get("COLUMNS"), shutil.get_terminal_size().columns
    os.environ["COLUMNS"] = str(min(max(width, NARROWEST), WIDEST))
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
