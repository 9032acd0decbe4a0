"""Set an experiment's data or labels, with full paths that are valid from any working directory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ebgan.data.sources import expanded
from ebgan.data.store import printable
from ebgan.errors import DataError
from ebgan.experiment import Experiment


def with_source(experiment: Experiment, source: str | Path) -> Experiment:
    """The experiment on other data: a set's name, or a path, kept in full so that it is found from anywhere.

    Raises DataError for a path that is not UTF-8, since a config cannot hold it.
    """
    path = expanded(source)
    name = str(path.resolve()) if path.exists() else str(source)
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{printable(name)}: the name is not UTF-8, so that config.yaml cannot hold it: rename it"
        ) from error
    return replace(experiment, data=replace(experiment.data, source=name))


def with_labels(experiment: Experiment, path: str | Path) -> Experiment:
    """The experiment with the labels of a CSV file, by its full path."""
    return replace(experiment, data=replace(experiment.data, labels=str(Path(path).expanduser().resolve())))
