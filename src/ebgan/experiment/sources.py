"""An experiment on other data or other labels, by paths that are found from anywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ebgan.data.sources import expanded
from ebgan.data.store import printable
from ebgan.errors import DataError
from ebgan.experiment import Experiment


def with_source(experiment: Experiment, source: str | Path) -> Experiment:
    """The experiment on other data: a set's name, or a path, kept in full so that it is found from anywhere.

    Raises DataError for a path that is no text, which no config can hold.
    """
    path = expanded(source)
    name = str(path.resolve()) if path.exists() else str(source)
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{printable(name)}: a name that is not UTF-8, which no config.yaml holds: rename it"
        ) from error
    return replace(experiment, data=replace(experiment.data, source=name))


def with_labels(experiment: Experiment, path: str | Path) -> Experiment:
    """The experiment with the labels of a CSV file, by its full path."""
    return replace(experiment, data=replace(experiment.data, labels=str(Path(path).expanduser().resolve())))
