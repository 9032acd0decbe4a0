"""Compare the config of a resumed run with the one in its folder, and refuse changes that affect the results.

Changes of fields that do not affect the results (`ebgan.tree_walk.aside`) are accepted with a notice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import yaml

from ebgan import config
from ebgan.errors import UsageError
from ebgan.experiment import Experiment
from ebgan.storage.files import read_file
from ebgan.storage.runfolder import RunFolder
from ebgan.tree_walk import aspect_of, leaves

ABSENT = "absent"


class _Change(NamedTuple):
    path: str
    before: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.path}: {_said(self.before)}, now {_said(self.now)}"


def check_config(experiment: Experiment, folder: RunFolder, notice: Callable[[str], None], waived: bool) -> None:
    """Compare an experiment with the config in a folder, if there is one, and report what has changed.

    Raises UsageError for a change that affects the results, unless `waived`.
    """
    changes = _changes(experiment, folder)
    computed = [each for each in changes if aspect_of(each.path, Experiment) is None]
    if computed and not waived:
        raise UsageError(
            f"{folder.config}: the run was started with another config: {_listed(computed)}. "
            "Choose another folder, undo the change, or accept it by --override-config"
        )
    if computed:
        notice(f"--override-config waives this check: {folder.config}: the config has changed: {_listed(computed)}")
    if harmless := [each for each in changes if each not in computed]:
        notice(f"{folder.config}: changed since the run was started: {_listed(harmless)}")


def refuse_shortened(experiment: Experiment, folder: RunFolder, seen: int) -> None:
    """Raise UsageError if the length was lowered below the images that the run has seen."""
    before = next((each.before for each in _changes(experiment, folder) if each.path == "images"), None)
    if isinstance(before, int) and experiment.images < min(before, seen):
        raise UsageError(
            f"images={experiment.images:,}: the run in {folder.path} has seen {seen:,} already: choose at least as "
            "many, or another folder"
        )


def _changes(experiment: Experiment, folder: RunFolder) -> list[_Change]:
    """The fields that differ, in the order of the config."""
    content = read_file(folder.config)
    if content is None:
        return []
    before, now = _read(content), dict(leaves(config.plain(experiment)))
    if before is None:
        return [_Change("all fields", "no readable YAML", "a config")]
    pairs = [_Change(path, before.get(path, ABSENT), now.get(path, ABSENT)) for path in {**now, **before}]
    return [each for each in pairs if _differ(each.before, each.now)]


def _read(content: bytes) -> dict[str, Any] | None:
    """The fields of a config: dotted path -> value, without importing its classes; None if it cannot be read."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(content, loader)):
            return None  # aliases within aliases would fill the memory
        tree = yaml.load(content, loader)
        return dict(leaves(tree)) if isinstance(tree, dict) else None
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def _differ(one: Any, other: Any) -> bool:
    return one != other or isinstance(one, bool) is not isinstance(other, bool)


def _said(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _listed(changes: list[_Change]) -> str:
    return "; ".join(map(str, changes))
