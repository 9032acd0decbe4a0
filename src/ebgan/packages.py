"""What installed packages add to ebgan: entry points in groups such as `ebgan.objectives` and `ebgan.recipes`.

The entry points are listed without importing the packages. An entry point is imported when its name is asked for.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from ebgan.errors import UsageError

PREFIX = "ebgan."  # of the groups

logger = logging.getLogger(__name__)


@cache
def offered() -> tuple[EntryPoint, ...]:
    """The entry points of all installed packages in ebgan's groups, by group and name."""
    try:
        every = entry_points()
        groups = sorted(group for group in every.groups if group.startswith(PREFIX))
        found = [each for group in groups for each in every.select(group=group)]
    except Exception as error:  # a damaged file of any package, which must not disturb ebgan's own names
        logger.warning("the entry points of the installed packages cannot be read and are ignored: %s", error)
        return ()
    return tuple(sorted(found, key=lambda each: (each.group, each.name, package(each))))


def by_name(group: str) -> Mapping[str, list[EntryPoint]]:
    """The entry points of a group by name; several packages may use the same name."""
    found: dict[str, list[EntryPoint]] = defaultdict(list)
    for each in offered():
        if each.group == group:
            found[each.name].append(each)
    return found


def find(name: str, groups: Collection[str]) -> EntryPoint | None:
    """The entry point of a name in one of the groups, if there is one. Raises UsageError if two packages have it."""
    found = [each for each in offered() if each.name == name and each.group in groups]
    if len(found) > 1:
        raise UsageError(
            f"{name}: the packages {' and '.join(map(package, found))} have an entry point of this name "
            f"({found[0].group}), and only one of them can be used: uninstall the other"
        )
    return found[0] if found else None


def load(entry: EntryPoint) -> Any:
    """What an entry point stands for. What the package prints on import goes to standard error.

    Raises UsageError that names the package if it cannot be imported.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return entry.load()
    except (Exception, SystemExit) as error:
        raise broken(entry, f"cannot be imported: {type(error).__name__}: {error}") from error


def broken(entry: EntryPoint, why: str) -> UsageError:
    """The error for an entry point that cannot be used."""
    return UsageError(
        f"the package {package(entry)}: its entry point {entry.name} = {entry.value} ({entry.group}) {why}. Update or "
        "uninstall the package"
    )


def package(entry: EntryPoint) -> str:
    """The name of the package that has an entry point."""
    return entry.dist.name if entry.dist else "of an unknown name"
