"""Check the rows of trials.sqlite before a report is made from them: the file may come from anywhere.

SQLite stores any value in any column: text instead of a number, infinite numbers, text that is not JSON.
"""

from __future__ import annotations

import json
import math
from typing import Any

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


def fields_of(text: Any) -> dict[str, Any]:
    """The fields of a trial: dotted path -> value. Raises ValueError that describes an invalid one."""
    fields = _object(text, "fields")
    for path in _NEEDED:
        if path not in fields:
            raise ValueError(f"fields: has no {path}")
    for path, value in fields.items():
        kinds = _FIELDS.get(path, (str, int, float, bool, list, type(None)))
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds) or not _bounded(value):
            raise ValueError(f"fields: {path} is {_short(value)}")
    return fields


def metrics_of(text: Any) -> dict[str, float]:
    """The metrics of a trial: name -> value. Raises ValueError that describes an invalid one."""
    metrics = _object(text, "metrics")
    for name, value in metrics.items():
        if not is_number(value):
            raise ValueError(f"metrics: {name} is {_short(value)}")
    return metrics


def refuse_odd(status: Any, error: Any, **numbers: Any) -> None:
    """Raise ValueError, with the column's name, for an invalid value."""
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
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and _bounded(value)


def _bounded(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str | int | float | bool | type(None)) and _bounded(each) for each in value)
    return not isinstance(value, int | float) or (abs(value) <= _LARGEST and math.isfinite(value))


def _object(text: Any, column: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise ValueError(f"{column} is not JSON but {_short(text)}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{column} is not a JSON object but {_short(found)}")
    return found


def _short(value: Any) -> str:
    try:
        return repr(value)[:40]
    except ValueError:  # a number of more digits than Python writes
        return "a number of very many digits"
