"""The trials of a sweep as its page shows them, and what a paper published of such trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final


class TrialRecord(NamedTuple):
    """A trial as the page shows it."""

    id: str
    family: str  # the objective's name
    status: str
    settings: Mapping[str, Any]  # value by axis
    score: float | None
    metrics: Mapping[str, float]
    seconds: float | None
    error: str
    images: int  # that it was to see
    fields: Mapping[str, Any] = {}  # all of its config by path

    @property
    def counted(self) -> float | None:
        """The score that a finished trial counts with: one that diverged has failed, and has none."""
        return 0.0 if self.status == "diverged" else self.score


class TrialPanel(NamedTuple):
    """Trials whose scores are drawn together."""

    title: str
    trials: Sequence[TrialRecord]
    published: Sequence[str] = ()  # the families whose published heights are of the same trials


class TrialSamples(NamedTuple):
    """Samples of a trial."""

    title: str
    note: str
    png: bytes  # none of a trial that diverged


@final
@dataclass(frozen=True, kw_only=True)
class Published:
    """What a paper shows of a grid whose trials are scored by I', and the bounds at which shares are compared."""

    heights: Mapping[str, Sequence[float]]  # per cent of trials in each bin of I' from 0 on, by family
    trials: Mapping[str, int]  # that the heights are of, by family
    width: float  # of a bin
    most: float  # that I' can be
    failed: float  # I' under which a trial has failed
    good: tuple[float, ...]  # I' above which a trial has got so far
    panels: Callable[[Sequence[TrialRecord]], list[TrialPanel]]  # that the trials are drawn in, beside all of them

    @property
    def edges(self) -> list[float]:
        """The edges of the paper's bins, which go on at the same width to the most that I' can be."""
        return [index * self.width for index in range(math.ceil(self.most / self.width) + 1)]

    def shares(self, family: str, bound: float) -> tuple[float, float]:
        """The paper's shares of trials below and above the bin edge nearest to a score."""
        edge, heights = round(bound / self.width), self.heights[family]
        return sum(heights[:edge]) / 100, sum(heights[edge:]) / 100


class SweepRecord(NamedTuple):
    """Everything that the page of a sweep shows."""

    title: str
    trials: Sequence[TrialRecord]
    panels: Sequence[TrialPanel]
    pictures: Sequence[TrialSamples]
    published: Published | None = None
    halving: str = ""  # how trials were dropped, where they were

    @property
    def rungs(self) -> dict[int, list[TrialRecord]]:
        """The trials by the images that they were to see, the fewest first; without halving no rungs."""
        lengths = sorted({trial.images for trial in self.trials}) if self.halving else []
        return {images: [trial for trial in self.trials if trial.images == images] for images in lengths}

    @property
    def compared(self) -> Sequence[TrialRecord]:
        """The trials that can speak for the grid: all, or with halving those of the first rung."""
        return next(iter(self.rungs.values()), self.trials)

    @property
    def heights(self) -> Mapping[str, Sequence[float]]:
        """The published heights by family; with halving none, as few trials see all of their images."""
        return self.published.heights if self.published and not self.halving else {}

    @property
    def real_score(self) -> float | None:
        """I' of the real images, as the first trial that has it says; None where trials are not scored by I'."""
        return next((trial.metrics["i_usual_real"] for trial in self.trials if "i_usual_real" in trial.metrics), None)


def families(trials: Sequence[TrialRecord]) -> dict[str, list[float]]:
    """The scores of finished trials by family, in the order in which families appear."""
    found: dict[str, list[float]] = {trial.family: [] for trial in trials}
    for trial in trials:
        if trial.counted is not None:
            found[trial.family].append(trial.counted)
    return found


def share(scores: Sequence[float], bound: float, below: bool = False) -> float | None:
    """The share of scores under a bound, or above it; None where there are none."""
    count = sum((score < bound) if below else (score > bound) for score in scores)
    return count / len(scores) if scores else None
