"""The rows of a sweep's trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ebgan.sweeps.row_checks import fields_of, metrics_of, refuse_odd


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
    refuse_odd(status, error, score=score, seconds=seconds, images_per_second=images_per_second)
    return Row(trial, fields_of(fields), status, score, metrics_of(metrics), seconds, images_per_second, error)
