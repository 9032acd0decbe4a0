"""The trials of a sweep as shown in its report, and a paper's published numbers of such trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final


class TrialRecord(NamedTuple):
    """A trial as shown in the report."""

    id: str
    family: str  # the objective's name
    status: str
    settings: Mapping[str, Any]  # axis -> value
    score: float | None
    metrics: Mapping[str, float]
    seconds: float | None
    error: str
    images: int  # the length of its training, in images seen
    fields: Mapping[str, Any] = {}  # all of its config by path

    @property
    def counted(self) -> float | None:
        """The score of a finished trial for statistics: 0 if it diverged."""
        return 0.0 if self.status == "diverged" else self.score


class TrialPanel(NamedTuple):
    """Trials whose scores are drawn in one histogram."""

    title: str
    trials: Sequence[TrialRecord]
    published: Sequence[str] = ()  # the families whose published heights are of the same trials


class TrialSamples(NamedTuple):
    """Samples of a trial."""

    title: str
    note: str
    png: bytes  # b"" for a diverged trial


@final
@dataclass(frozen=True, kw_only=True)
class Published:
    """A paper's histograms of a grid whose trials are scored by I', and the bounds at which shares are compared."""

    heights: Mapping[str, Sequence[float]]  # family -> per cent of trials in each bin of I', from 0 on
    trials: Mapping[str, int]  # family -> number of trials in the heights
    width: float  # of a bin
    most: float  # the largest possible I'
    failed: float  # a trial with I' below this has failed
    good: tuple[float, ...]  # bounds above which shares are compared
    panels: Callable[[Sequence[TrialRecord]], list[TrialPanel]]  # that the trials are drawn in, beside all of them

    @property
    def edges(self) -> list[float]:
        """The edges of the paper's bins, continued with the same width to the largest possible I'."""
        return [index * self.width for index in range(math.ceil(self.most / self.width) + 1)]

    def shares(self, family: str, bound: float) -> tuple[float, float]:
        """The paper's shares of trials below and above the bin edge nearest to a score."""
        edge, heights = round(bound / self.width), self.heights[family]
        return sum(heights[:edge]) / 100, sum(heights[edge:]) / 100


class SweepRecord(NamedTuple):
    """The content of a sweep's report."""

    title: str
    trials: Sequence[TrialRecord]
    panels: Sequence[TrialPanel]
    pictures: Sequence[TrialSamples]
    published: Published | None = None
    halving: str = ""  # a description of the successive halving, if there was one

    @property
    def rungs(self) -> dict[int, list[TrialRecord]]:
        """The trials of each rung by their number of images, the fewest first; none without halving."""
        lengths = sorted({trial.images for trial in self.trials}) if self.halving else []
        return {images: [trial for trial in self.trials if trial.images == images] for images in lengths}

    @property
    def compared(self) -> Sequence[TrialRecord]:
        """The trials that represent the grid: all, or with halving those of the first rung."""
        return next(iter(self.rungs.values()), self.trials)

    @property
    def heights(self) -> Mapping[str, Sequence[float]]:
        """The published heights by family; none with halving, because few trials are trained to the end."""
        return self.published.heights if self.published and not self.halving else {}

    @property
    def real_score(self) -> float | None:
        """I' of the real images, from the first trial that has it; None if trials are not scored by I'."""
        return next((trial.metrics["i_usual_real"] for trial in self.trials if "i_usual_real" in trial.metrics), None)


def families(trials: Sequence[TrialRecord]) -> dict[str, list[float]]:
    """The scores of finished trials by family, in the order in which families appear."""
    found: dict[str, list[float]] = {trial.family: [] for trial in trials}
    for trial in trials:
        if trial.counted is not None:
            found[trial.family].append(trial.counted)
    return found


def share(scores: Sequence[float], bound: float, below: bool = False) -> float | None:
    """The share of scores below a bound, or above it; None without scores."""
    count = sum((score < bound) if below else (score > bound) for score in scores)
    return count / len(scores) if scores else None
