"""The rows of a sweep's trials, and checks of them, so that a report can be made: trials.sqlite may come from anywhere.

SQLite keeps any value in any column: a text where a number is to be, an endless number, text that is no JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

STATUSES = ("waiting", "running", "done", "diverged", "failed")
_LARGEST = 1e300
_FIELDS: dict[str, tuple[type, ...]] = {  # that the page of a sweep reads: by path, and the kinds that each can be
    "objective.type": (str,),
    "images": (int,),
    "nets.generator.depth": (int,),
    "nets.discriminator.depth": (int,),
    "optimisers.generator.type": (str,),
    "optimisers.discriminator.type": (str,),
    "optimisers.discriminator.lr": (float, int),
}
_NEEDED = ("objective.type", "images")


class Row(NamedTuple):
    """A trial and its result so far."""

    id: str
    fields: dict[str, Any]  # each field of its config by its path
    status: str
    score: float | None
    metrics: dict[str, float]
    seconds: float | None
    images_per_second: float | None
    error: str


def row_of(cells: Sequence[Any]) -> Row:
    """A row of the file, whose cells may hold anything. Raises ValueError that names an invalid one."""
    trial, fields, status, score, metrics, seconds, images_per_second, error = cells
    if not isinstance(trial, str):
        raise ValueError("id is no text")
    _refuse_odd(status, error, score=score, seconds=seconds, images_per_second=images_per_second)
    return Row(trial, _fields_of(fields), status, score, _metrics_of(metrics), seconds, images_per_second, error)


def _fields_of(text: Any) -> dict[str, Any]:
    """The fields of a trial by path. Raises ValueError that says what is wrong with them."""
    fields = _object(text, "fields")
    for path in _NEEDED:
        if path not in fields:
            raise ValueError(f"fields: has no {path}")
    for path, value in fields.items():
        kinds = _FIELDS.get(path, (str, int, float, bool, list, type(None)))
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds) or not _bounded(value):
            raise ValueError(f"fields: {path} is {_short(value)}")
    return fields


def _metrics_of(text: Any) -> dict[str, float]:
    """The metrics of a trial by name. Raises ValueError that says what is wrong with them."""
    metrics = _object(text, "metrics")
    for name, value in metrics.items():
        if not is_number(value):
            raise ValueError(f"metrics: {name} is {_short(value)}")
    return metrics


def _refuse_odd(status: Any, error: Any, **numbers: Any) -> None:
    """Raise ValueError that names the column in which a row makes no sense."""
    if status not in STATUSES:
        raise ValueError(f"status is {_short(status)}")
    if not isinstance(error, str):
        raise ValueError(f"error is {_short(error)}")
    for name, value in numbers.items():
        if value is not None and not is_number(value):
            raise ValueError(f"{name} is {_short(value)}")
        if name != "score" and value is not None and value < 0:
            raise ValueError(f"{name} is {_short(value)}")


def is_number(value: Any) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and _bounded(value)


def _bounded(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str | int | float | bool | type(None)) and _bounded(each) for each in value)
    return not isinstance(value, int | float) or (abs(value) <= _LARGEST and math.isfinite(value))


def _object(text: Any, column: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise ValueError(f"{column} is no JSON but {_short(text)}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{column} is no JSON object but {_short(found)}")
    return found


def _short(value: Any) -> str:
    try:
        return repr(value)[:40]
    except ValueError:  # a number of more digits than Python writes
        return "a number of very many digits"
