"""A sweep as one page that needs nothing but itself: histograms, axis by axis, samples, and every trial in a table."""

from __future__ import annotations

import base64
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from ebgan.report import distribution
from ebgan.report.html import Chart, template_environment
from ebgan.report.summary import Fact, duration, number
from ebgan.runfolder import write_atomically

FAILED = 0.23  # I' under which the paper's histogram has its failures: three of its bins. All bounds are our choice
GOOD = (0.5, 1.0, 1.5)
PAPER_TRIALS = {"EBGAN": 512, "GAN": 6144}  # that the published heights are of (EBGAN, section 4.1)
HALF = 0.5  # of the real images' score

Measure = Callable[[Sequence[float]], float | None]


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

    @property
    def counted(self) -> float | None:
        """The score that a finished trial counts with: one that diverged has failed, and has none."""
        return 0.0 if self.status == "diverged" else self.score


class Panel(NamedTuple):
    """Trials whose scores are drawn together."""

    title: str
    trials: Sequence[TrialRecord]
    published: Sequence[str] = ()  # the families whose published heights are of the same trials


class Picture(NamedTuple):
    """Samples of a trial."""

    title: str
    note: str
    png: bytes  # none of a trial that diverged


class SweepRecord(NamedTuple):
    """All that the page shows."""

    title: str
    trials: Sequence[TrialRecord]
    panels: Sequence[Panel]
    pictures: Sequence[Picture]
    published: Mapping[str, Sequence[float]]  # per cent a bin by family
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


class Share(NamedTuple):
    """A line of the table of shares."""

    label: str
    cells: list[str]


def write_sweep_page(path: Path, record: SweepRecord) -> Path:
    """Write the page, whole or not at all, and return its path. Raises StorageError where the disk refuses."""
    axes = _axes(record.trials)
    page = (
        template_environment()
        .get_template("sweep.html")
        .render(
            title=record.title,
            facts=_facts(record),
            panels=_drawn(_chart(histogram(panel, record.published)) for panel in record.panels),
            columns=share_columns(record),
            shares=shares(record),
            effects=_drawn(_effects(record, _mean)),
            failures=[] if real_score(record) is None else _drawn(_effects(record, _failed)),
            pictures=[(each.title, each.note, _uri(each.png)) for each in record.pictures],
            axes=axes,
            rows=[_row(trial, axes) for trial in _ranked(record.trials)],
        )
    )
    write_atomically(path, page.encode("utf-8", "replace"))
    return path


def families(trials: Sequence[TrialRecord]) -> dict[str, list[float]]:
    """The scores of finished trials by family, in the order in which families appear."""
    found: dict[str, list[float]] = {trial.family: [] for trial in trials}
    for trial in trials:
        if trial.counted is not None:
            found[trial.family].append(trial.counted)
    return found


def _facts(record: SweepRecord) -> list[Fact]:
    counts: dict[str, int] = {}
    for trial in record.trials:
        counts[trial.status] = counts.get(trial.status, 0) + 1
    finished = counts.get("done", 0) + counts.get("diverged", 0)
    facts = [Fact("Trials finished", f"{finished:,}", f"of {len(record.trials):,}")]
    if record.halving:
        facts.append(Fact("Halving", record.halving, "shares and effects are of the first rung"))
        facts += [Fact(f"With {images:,} images", _finished(trials)) for images, trials in record.rungs.items()]
    others = [name for name in ("diverged", "failed", "running") if name in counts]
    facts += [Fact(name.capitalize(), f"{counts[name]:,}") for name in others]
    spent = sum(trial.seconds or 0.0 for trial in record.trials)
    facts.append(Fact("Training time", duration(spent), "of all trials together"))
    best = max((trial.score for trial in record.trials if trial.score is not None), default=None)
    if best is not None:
        facts.append(Fact("Best score", number(best), _real(record)))
    return facts


def _finished(trials: Sequence[TrialRecord]) -> str:
    return f"{sum(trial.counted is not None for trial in trials):,} of {len(trials):,}"


def _real(record: SweepRecord) -> str:
    """The score of the real images."""
    real = real_score(record)
    return "" if real is None else f"real images {number(real)}"


def histogram(panel: Panel, published: Mapping[str, Sequence[float]]) -> distribution.Histogram:
    """What is drawn of a panel, beside the heights that the paper has of the same trials."""
    known = {name: heights for name, heights in published.items() if name in panel.published}
    return distribution.Histogram(panel.title, families(panel.trials), known)


def _chart(drawn: distribution.Histogram) -> Chart:
    title = f"{drawn.title}: n = {', '.join(_counts(drawn))}" if drawn.published else drawn.title
    return Chart(title, "", Markup(distribution.histograms(drawn.families, drawn.published)))


def _counts(drawn: distribution.Histogram) -> list[str]:
    """How many trials of each family are drawn, and how many the published heights are of."""
    counts = {name: f"{len(scores):,} {name}" for name, scores in drawn.families.items() if scores}
    papers = {name: f" (paper {PAPER_TRIALS[name]:,})" for name in drawn.published if name in PAPER_TRIALS}
    return [count + papers.get(name, "") for name, count in counts.items()]


def share_columns(record: SweepRecord) -> list[str]:
    """What stands above the shares."""
    columns = []
    for name in families(record.trials):
        columns += [name, f"{name}, paper"] if name in record.published else [name]
    return columns


def shares(record: SweepRecord) -> list[Share]:
    """Which share of each family fails or gets so far, ours and the paper's.

    Bounds are I' itself, then as large a part of the real images' score as these are of ln 10, the most that I' can be:
    the paper does not give the score of its own. Its shares are summed from the nearest edge of its bins.
    """
    real = real_score(record)
    if real is None:
        return []
    lines = [Share(f"failed: I' under {FAILED}", _cells(record, FAILED, below=True))]
    lines += [Share(f"I' above {low}", _cells(record, low)) for low in GOOD]
    for bound in (FAILED, *GOOD):
        part = bound / math.log(10)
        label = (
            f"I' {'under' if bound == FAILED else 'above'} {100 * part:.0f} % of the real images', {part * real:.2f}"
        )
        lines.append(Share(label, _cells(record, part * real, bound == FAILED, bound)))
    return [*lines, Share(f"I' above half of the real images' {real:.2f}", _cells(record, HALF * real))]


def real_score(record: SweepRecord) -> float | None:
    """I' of the real images, as the first trial that has it says; None where trials are not scored by I'."""
    return next((trial.metrics["i_usual_real"] for trial in record.trials if "i_usual_real" in trial.metrics), None)


def share(scores: Sequence[float], bound: float, below: bool = False) -> float | None:
    """The share of scores under a bound, or above it; None where there are none."""
    count = sum((score < bound) if below else (score > bound) for score in scores)
    return count / len(scores) if scores else None


def _cells(record: SweepRecord, bound: float, below: bool = False, told: float | None = None) -> list[str]:
    """Our shares, each with the paper's at the bound that its scores are told by."""
    cells = []
    compared = families(record.compared)
    for name in families(record.trials):
        found = share(compared.get(name, []), bound, below)
        cells.append("none yet" if found is None else number(found, share=True))
        if name in record.published:
            under, above = distribution.published_shares(record.published[name], bound if told is None else told)
            cells.append(f"{100 * (under if below else above):.0f} %")
    return cells


def _effects(record: SweepRecord, measure: Measure) -> list[Chart]:
    """One chart an axis: a number of all trials that share a value, whatever their other settings."""
    charts = []
    for axis in _axes(record.compared):
        having = [trial for trial in record.compared if axis in trial.settings and trial.counted is not None]
        values = sorted({trial.settings[axis] for trial in having}, key=_order)
        lines = {}
        for name in families(record.trials):
            own = [trial for trial in having if trial.family == name]
            scores = [[each.counted or 0.0 for each in own if each.settings[axis] == value] for value in values]
            lines[name] = [measure(some) for some in scores] if own else []
        svg = distribution.effect([*map(str, values)], lines, share=measure is _failed) if having else ""
        charts.append(Chart(axis, "", Markup(svg)))
    return charts


def _mean(scores: Sequence[float]) -> float | None:
    return statistics.fmean(scores) if scores else None


def _failed(scores: Sequence[float]) -> float | None:
    return share(scores, FAILED, below=True)


def _order(value: Any) -> tuple[bool, Any]:
    """Numbers by size, then words."""
    words = not isinstance(value, int | float)
    return words, str(value) if words else value


def _axes(trials: Sequence[TrialRecord]) -> list[str]:
    """The settings that differ among trials."""
    found = dict.fromkeys(axis for trial in trials for axis in trial.settings)
    return [axis for axis in found if len({repr(trial.settings.get(axis)) for trial in trials}) > 1]


def _ranked(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The best first, then those without a score."""
    return sorted(trials, key=lambda trial: -1.0 if trial.score is None else trial.score, reverse=True)


def _row(trial: TrialRecord, axes: Sequence[str]) -> list[str]:
    score = "" if trial.score is None else f"{trial.score:.3f}"
    seconds = "" if trial.seconds is None else f"{trial.seconds:.1f}"
    settings = ["" if axis not in trial.settings else str(trial.settings[axis]) for axis in axes]
    return [trial.id, trial.family, score, *settings, seconds, trial.status, trial.error]


def _drawn(charts: Iterable[Chart]) -> list[Chart]:
    return [chart for chart in charts if chart.svg]


def _uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}" if png else ""
