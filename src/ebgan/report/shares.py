"""A table of the shares of a sweep's trials, per family, that fail or exceed a score, beside the paper's shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ebgan.report.interval import wilson
from ebgan.report.summary import number
from ebgan.report.trials import Published, SweepRecord, families, share

HALF = 0.5  # of the real images' score


class ShareRow(NamedTuple):
    """A row of the table of shares."""

    label: str
    cells: list[str]


def share_columns(record: SweepRecord) -> list[str]:
    """The headings of the table of shares."""
    columns = []
    compared = families(record.compared)
    for name in families(record.trials):
        columns.append(f"{name}, n = {len(compared.get(name, [])):,} (95 % interval)")
        columns += [f"{name}, paper"] if name in record.heights else []
    return columns


def shares(record: SweepRecord) -> list[ShareRow]:
    """The shares at the bounds that the grid defines; [] if it defines none, or trials are not scored by I'.

    Bounds are first values of I', then the same fractions (of the largest possible I') of the real images' score, which
    the paper does not state. The paper's shares are summed from the nearest edge of its bins.
    """
    real, published = record.real_score, record.published
    if real is None or published is None:
        return []
    lines = [ShareRow(f"failed: I' under {published.failed}", _cells(record, published, published.failed, below=True))]
    lines += [ShareRow(f"I' above {low}", _cells(record, published, low)) for low in published.good]
    for bound in (published.failed, *published.good):
        part, below = bound / published.most, bound == published.failed
        label = f"I' {'under' if below else 'above'} {100 * part:.0f} % of the real images', {part * real:.2f}"
        lines.append(ShareRow(label, _cells(record, published, part * real, below, bound)))
    return [*lines, ShareRow(f"I' above half of the real images' {real:.2f}", _cells(record, published, HALF * real))]


def _cells(
    record: SweepRecord, published: Published, bound: float, below: bool = False, told: float | None = None
) -> list[str]:
    """Our shares, each with the paper's at the corresponding bound."""
    cells = []
    compared = families(record.compared)
    for name in families(record.trials):
        cells.append(_with_interval(compared.get(name, []), bound, below))
        if name in record.heights:
            under, above = published.shares(name, bound if told is None else told)
            cells.append(f"{100 * (under if below else above):.0f} %")
    return cells


def _with_interval(scores: Sequence[float], bound: float, below: bool) -> str:
    found = share(scores, bound, below)
    if found is None:
        return "none yet"
    low, high = wilson(round(found * len(scores)), len(scores))
    return f"{number(found, share=True)} ({100 * low:.0f} to {100 * high:.0f})"
