"""Whether a measurement is clear enough to judge a claim by: yes, no, or cannot tell.

    difference      between two means, or between a mean and the nearest end of the range that is claimed
    error           the standard error of the difference
    yes or no       where 0 is outside the 95 % interval of the difference, by Student's t (of two means by Welch, 1947)

Shares are adjusted as by Agresti and Caffo (2000), so that few trials that all agree still have an error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, variance
from typing import NamedTuple

from ebgan.reproductions.claims import Claim

CONFIDENCE = 0.95
NORMAL = 1e9  # degrees of freedom at which Student's distribution is the normal one


class Difference(NamedTuple):
    """How far a measurement speaks for a claim, or against it."""

    value: float  # above 0 where it speaks for the claim
    error: float  # standard error; NaN where there are too few observations to know it
    freedom: float  # degrees of freedom of the error
    observations: str  # how many, in words

    @property
    def holds(self) -> bool | None:
        """Whether the claim holds; None where the difference is within its error."""
        if math.isnan(self.error) or not math.isfinite(self.value):
            return None
        from scipy.special import stdtrit  # takes a while to load

        reach = float(stdtrit(self.freedom, (1 + CONFIDENCE) / 2)) * self.error
        return self.value > 0 if abs(self.value) > reach else None

    def words(self) -> str:
        """Number of observations, difference and standard error."""
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
        """The share and its standard error, after so many hits and so many misses are added."""
        trials = self.trials + 2 * added
        share = (self.hits + added) / trials
        return share, math.sqrt(share * (1 - share) / trials)


def below(less: Sequence[float], more: Sequence[float], of: str = "seed") -> Difference:
    """How far the mean of the first observations lies below that of the others, of other runs. Welch's test."""
    one, other = _error(less) ** 2, _error(more) ** 2
    both = one + other
    freedom = both**2 / (one**2 / (len(less) - 1) + other**2 / (len(more) - 1)) if both > 0 else 1.0
    return Difference(fmean(more) - fmean(less), math.sqrt(both), freedom, _count(of, len(less), len(more)))


def below_in_pairs(less: Sequence[float], more: Sequence[float], of: str = "seed") -> Difference:
    """The same where each observation has its partner: of the same seed, say, or of the same image."""
    apart = [high - low for low, high in zip(less, more, strict=True)]
    return Difference(fmean(apart), _error(apart), max(len(apart) - 1, 1), _count(of, len(apart)) + " in pairs")


def within(values: Sequence[float], low: float = -math.inf, high: float = math.inf, of: str = "seed") -> Difference:
    """How far inside a range the mean lies."""
    mean = fmean(values)
    return Difference(min(mean - low, high - mean), _error(values), max(len(values) - 1, 1), _count(of, len(values)))


def rarer(less: Share, more: Share, of: str = "trial") -> Difference:
    """How far the first share lies below the other."""
    (low, one), (high, other) = less.adjusted(1), more.adjusted(1)
    return Difference(high - low, math.hypot(one, other), NORMAL, _count(of, less.trials, more.trials))


def at_least(share: Share, bound: float, of: str = "trial") -> Difference:
    """How far a share lies above a bound."""
    found, error = share.adjusted(2)
    return Difference(found - bound, error, NORMAL, _count(of, share.trials))


def holds_of_each(met: Sequence[bool], of: str = "seed") -> tuple[bool | None, str]:
    """Whether a claim holds of every run, and by what: a run that breaks it refutes it, a single one proves nothing."""
    words = f"n = {_count(of, len(met))}, {sum(met)} of {len(met)}"
    return (False if not all(met) else True if len(met) > 1 else None), words


def _error(values: Sequence[float]) -> float:
    """The standard error of a mean. NaN for one value, and for two that are equal, which say nothing of the spread."""
    if len(values) < 2 or (len(values) == 2 and values[0] == values[1]):
        return math.nan
    return math.sqrt(variance(values) / len(values))


def _count(of: str, *counts: int) -> str:
    """Numbers of observations, in words."""
    numbers = counts[:1] if len(set(counts)) == 1 else counts
    return f"{' and '.join(f'{count:,}' for count in numbers)} {of}{'' if set(counts) == {1} else 's'}"
