"""The 95 % interval of a share (Wilson, 1927)."""

from __future__ import annotations

import math

_NORMAL = 1.959964  # two-sided 95 %


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The ends of the 95 % interval of a share, within [0, 1]; (0, 1) for a count of 0."""
    if count < 1:
        return 0.0, 1.0
    share, square = hits / count, _NORMAL**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = _NORMAL * math.sqrt(share * (1 - share) / count + square / (4 * count**2)) / (1 + square / count)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def counted(hits: int, count: int) -> str:
    """Hits and count with the interval of their share as text: `4 of 12, 95 % interval 13.8 to 60.9 %`."""
    return f"{hits:,} of {count:,}, {interval(hits, count)}"


def interval(hits: int, count: int) -> str:
    """The interval of a share as text, in per cent."""
    low, high = wilson(hits, count)
    digits = 1 if high - low > 0.01 else 2
    return f"95 % interval {100 * low:.{digits}f} to {100 * high:.{digits}f} %"
