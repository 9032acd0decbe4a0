"""Checks of the lines of a records file, so that report and resume can read them: valid JSON alone is not enough.

Every record is a JSON object. Those of a run have "images", a whole number, and the fields of their file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

_MOST = 2**63 - 1  # largest whole number
_TABLE = ("classes", "precision", "recall", "f1", "confusion")

Check = Callable[[Any], bool]


def parsed(line: str) -> dict[str, Any]:
    """The record of a line. Raises ValueError that says why the line is no record."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError:
        raise ValueError("it is no JSON") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:
        raise ValueError("it holds a number of too many digits") from None
    if not isinstance(record, dict):
        raise ValueError(f"it is no object but {_kind(record)}")
    return record


def refuse_misfit(record: Mapping[str, Any], file: str) -> None:
    """Raise ValueError that names a field that is missing or wrong for this file (stats.jsonl...)."""
    needed, others = _FILES.get(file, ({}, {}))
    for field, check in needed.items():
        if field not in record:
            raise ValueError(f"it has no {field}")
        if not check(record[field]):
            raise ValueError(f"its {field} is {_short(record[field])}")
    for field, value in record.items():
        if field not in needed and not others.get(field, others.get("", _anything))(value):
            raise ValueError(f"its {field} is {_short(value)}")


def _anything(value: Any) -> bool:  # noqa: ARG001
    return True


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


def _number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= _MOST)


def is_finite(value: Any) -> bool:
    """Whether it is a finite number, and no bool."""
    return _number(value) and math.isfinite(value)


def is_seconds(value: Any) -> bool:
    """Whether it is a duration."""
    return is_finite(value) and value >= 0


def is_text(value: Any) -> bool:
    """Whether it is text."""
    return isinstance(value, str)


def is_names(value: Any) -> bool:
    """Whether it is a list of texts."""
    return isinstance(value, list) and all(map(is_text, value))


def _shares(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_finite, value))


def _by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(_number(each) for each in value.values())


def _facts(value: Any) -> bool:
    """A protocol: names with texts, bools and numbers."""
    return isinstance(value, dict) and all(
        is_text(each) or isinstance(each, bool) or _number(each) for each in value.values()
    )


def _classification(value: Any) -> bool:
    """A classification: names of classes, three measures of each, and the confusion matrix."""
    if not isinstance(value, dict) or not all(isinstance(value.get(name), list) for name in _TABLE):
        return False
    count = len(value["classes"])
    return (
        all(len(value[name]) == count for name in _TABLE)
        and all(map(is_text, value["classes"]))
        and all(_number(each) for name in _TABLE[1:4] for each in value[name])
        and all(isinstance(row, list) and len(row) == count and all(map(_whole, row)) for row in value["confusion"])
    )


def _kind(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(type(value), "null")


def _short(value: Any) -> str:
    return f"an object of {len(value)}" if isinstance(value, dict) else repr(value)[:40]


_Checks = dict[str, Check]
_FILES: dict[str, tuple[_Checks, _Checks]] = {  # file -> required and optional fields; "" is any other field
    "stats.jsonl": ({"images": _whole}, {"seconds": is_seconds, "": _number}),
    "evaluations.jsonl": (
        {"images": _whole, "metrics": _by_name},
        {"histogram": _shares, "classes": is_names, "protocol": _facts, "classification": _classification},
    ),
    "alarms.jsonl": ({"images": _whole, "alarm": is_text, "message": is_text}, {}),
}
