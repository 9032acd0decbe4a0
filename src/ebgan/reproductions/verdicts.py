"""Judge a claim by a measurement: yes, no or undecided.

    difference      between two means, or between a mean and the nearest end of the claimed range
    error           the standard error of the difference
    yes or no       if 0 is outside the 95 % interval of the difference, by Student's t (for two means Welch, 1947)

Shares are adjusted as by Agresti and Caffo (2000), so that a few trials that all agree still have an error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, variance
from typing import NamedTuple

from ebgan.reproductions.claims import Claim

CONFIDENCE = 0.95
NORMAL = 1e9  # degrees of freedom at which Student's t is practically normal


class Difference(NamedTuple):
    """A difference whose sign supports a claim or speaks against it."""

    value: float  # positive if it supports the claim
    error: float  # standard error; NaN if there are too few observations to estimate it
    freedom: float  # degrees of freedom of the error
    observations: str  # their number and kind, such as "3 seeds"

    @property
    def holds(self) -> bool | None:
        """Whether the claim holds; None if the 95 % interval contains 0, or is unknown."""
        if math.isnan(self.error) or not math.isfinite(self.value):
            return None
        from scipy.special import stdtrit  # takes a while to load

        reach = float(stdtrit(self.freedom, (1 + CONFIDENCE) / 2)) * self.error
        return self.value > 0 if abs(self.value) > reach else None

    def words(self) -> str:
        """Number of observations, difference and standard error, as text."""
        error = "error not known" if math.isnan(self.error) else f"standard error {self.error:.2g}"
        return f"n = {self.observations}, difference {self.value:+.3g}, {error}"

    def claim(self, claim: str, expected: str, measured: str) -> Claim:
        """The claim, judged by the difference."""
        return Claim(claim, expected, measured, self.holds, self.words())


class Share(NamedTuple):
    """How many of several trials have a property."""

    hits: int
    trials: int

    @property
    def value(self) -> float:
        """The share."""
        return self.hits / self.trials

    def adjusted(self, added: int) -> tuple[float, float]:
        """The share and its standard error after adding `added` hits and as many misses."""
        trials = self.trials + 2 * added
        share = (self.hits + added) / trials
        return share, math.sqrt(share * (1 - share) / trials)


def below(less: Sequence[float], more: Sequence[float], of: str = "seed") -> Difference:
    """How far the mean of `less` lies below that of `more`; the runs are independent (Welch's test)."""
    one, other = _error(less) ** 2, _error(more) ** 2
    both = one + other
    freedom = both**2 / (one**2 / (len(less) - 1) + other**2 / (len(more) - 1)) if both > 0 else 1.0
    return Difference(fmean(more) - fmean(less), math.sqrt(both), freedom, _count(of, len(less), len(more)))


def below_in_pairs(less: Sequence[float], more: Sequence[float], of: str = "seed") -> Difference:
    """The same for paired observations: of the same seed, say, or of the same image."""
    apart = [high - low for low, high in zip(less, more, strict=True)]
    return Difference(fmean(apart), _error(apart), max(len(apart) - 1, 1), _count(of, len(apart)) + " in pairs")


def within(values: Sequence[float], low: float = -math.inf, high: float = math.inf, of: str = "seed") -> Difference:
    """How far inside the range the mean lies; negative outside it."""
    mean = fmean(values)
    return Difference(min(mean - low, high - mean), _error(values), max(len(values) - 1, 1), _count(of, len(values)))


def rarer(less: Share, more: Share, of: str = "trial") -> Difference:
    """How far the share `less` lies below `more`."""
    (low, one), (high, other) = less.adjusted(1), more.adjusted(1)
    return Difference(high - low, math.hypot(one, other), NORMAL, _count(of, less.trials, more.trials))


def at_least(share: Share, bound: float, of: str = "trial") -> Difference:
    """How far a share lies above a bound."""
    found, error = share.adjusted(2)
    return Difference(found - bound, error, NORMAL, _count(of, share.trials))


def holds_of_each(met: Sequence[bool], of: str = "seed") -> tuple[bool | None, str]:
    """Whether a claim holds for every run, and the counts: one failing run refutes it, a single run proves nothing."""
    words = f"n = {_count(of, len(met))}, {sum(met)} of {len(met)}"
    return (False if not all(met) else True if len(met) > 1 else None), words


def _error(values: Sequence[float]) -> float:
    """The standard error of a mean; NaN for a single value, and for two equal ones, whose spread is unknown."""
    if len(values) < 2 or (len(values) == 2 and values[0] == values[1]):
        return math.nan
    return math.sqrt(variance(values) / len(values))


def _count(of: str, *counts: int) -> str:
    """Numbers of observations as text: "3 seeds", "3 and 5 seeds"."""
    numbers = counts[:1] if len(set(counts)) == 1 else counts
    return f"{' and '.join(f'{count:,}' for count in numbers)} {of}{'' if set(counts) == {1} else 's'}"
