"""Recipes and grids from outside the project: functions of a user's file, and entry points `ebgan.recipes`.

Such a function takes no arguments and returns an Experiment, or a Grid; one that returns a Grid may take the `scale`.
Its kind is known only when it is called: neither a list of names nor a search imports a package.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from ebgan import packages
from ebgan.errors import UsageError
from ebgan.recipes.catalogue import entries
from ebgan.user_code import carried_out, function_of, is_code

GROUP = "ebgan.recipes"
OWN_SCALE = "cpu"  # the default of --scale, which a function without scales leaves alone

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Function:
    """A function that makes an Experiment or a Grid."""

    name: str  # as the user gave it
    source: str  # the file, or the package
    function: Callable[..., Any]
    file: Path  # whose line an error names

    def experiment(self) -> Any:
        """The Experiment. Raises UsageError for a function that fails or returns something else."""
        from ebgan.experiment import Experiment
        from ebgan.experiment.grid import Grid

        made = self._called({})
        if isinstance(made, Grid):
            raise UsageError(f"{self.name}: is a grid of experiments: `ebgan sweep {self.name} OUT` runs it")
        if not isinstance(made, Experiment):
            raise UsageError(f"{self.name}: returns {_kind_of(made)}; expected an ebgan.Experiment")
        return made

    def grid(self, scale: str) -> Any:
        """The Grid at a scale. Raises UsageError for a function that fails or returns something else."""
        from ebgan.experiment import Experiment
        from ebgan.experiment.grid import Grid

        takes_scale = "scale" in self._parameters()
        if scale != OWN_SCALE and not takes_scale:
            raise UsageError(f"--scale {scale}: {self.name} takes no scale: give the function an argument `scale`")
        made = self._called({"scale": scale} if takes_scale else {})
        if isinstance(made, Experiment):
            raise UsageError(f"{self.name}: is a single experiment: `ebgan train {self.name} OUT` trains it")
        if not isinstance(made, Grid):
            raise UsageError(f"{self.name}: returns {_kind_of(made)}; expected an ebgan.sweeps.Grid")
        return made

    def _called(self, arguments: dict[str, str]) -> Any:
        needed = [name for name, each in self._parameters().items() if each.default is each.empty]
        if missing := [name for name in needed if name not in arguments]:
            raise UsageError(f"{self.name}: needs the argument {missing[0]}, which nobody gives: give it a default")
        return carried_out(lambda: self.function(**arguments), self.file)

    def _parameters(self) -> dict[str, inspect.Parameter]:
        try:
            found = inspect.signature(self.function).parameters
        except (TypeError, ValueError):  # of some classes and built-in functions
            return {}
        return {name: each for name, each in found.items() if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)}


def find_function(name: str) -> Function | None:
    """The function of `mine.py:make`, or of an installed package's recipe; None for a name that is neither.

    Raises UsageError for a function that is not there, and for a name that two packages have.
    """
    if is_code(name):
        function = function_of(name)
        file = Path(inspect.unwrap(function).__code__.co_filename) if inspect.isfunction(function) else Path(name)
        return Function(name, str(file), function, file)
    entry = packages.find(name, (GROUP,))
    return _of_package(entry) if entry else None


def names() -> list[str]:
    """The names of all recipes and grids of installed packages, without importing them."""
    return [name for name in packages.by_name(GROUP) if not _is_ours(name)]


def listed() -> list[str]:
    """A line for each of them; a name that cannot be used has a line that says why."""
    found = packages.by_name(GROUP)
    width = max(map(len, found), default=0)
    return [f"{name:<{width}}  {_described(name, found[name])}" for name in found]


def warn_of_hidden(name: str) -> None:
    """Warn if an installed package has a recipe with the name of one of the project's, which is taken."""
    for each in packages.by_name(GROUP).get(name, ()):
        logger.warning("%s: taken is ebgan's own; the recipe of the package %s is hidden", name, packages.package(each))


def _of_package(entry: EntryPoint) -> Function:
    function = packages.load(entry)
    if not callable(function):
        raise packages.broken(entry, f"is {_kind_of(function)}, not a function that returns an Experiment or a Grid")
    code = getattr(function, "__code__", None)
    file = Path(code.co_filename) if code else Path(f"the package {packages.package(entry)}")
    return Function(entry.name, f"the package {packages.package(entry)}", function, file)


def _described(name: str, found: list[EntryPoint]) -> str:
    owners = " and ".join(map(packages.package, found))
    if _is_ours(name):
        return f"hidden by ebgan's own recipe of this name (the package {owners})"
    if len(found) > 1:
        return f"not available: two packages have it, {owners}: uninstall one of them"
    return f"of the package {owners}"


def _is_ours(name: str) -> bool:
    return name in entries("recipe") or name in entries("grid")


def _kind_of(value: object) -> str:
    return "None" if value is None else f"a value of the type {type(value).__name__}"
