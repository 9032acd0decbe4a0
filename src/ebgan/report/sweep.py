"""Write the report of a sweep as one self-contained HTML page: histograms, effects, samples and a table of trials."""

from __future__ import annotations

import base64
import statistics
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ebgan.report import distribution
from ebgan.report.html import Chart, template_environment
from ebgan.report.shares import share_columns, shares
from ebgan.report.summary import Fact, duration, number
from ebgan.report.trials import SweepRecord, TrialPanel, TrialRecord, families, share
from ebgan.storage.files import write_atomically

Measure = Callable[[Sequence[float]], float | None]


def write_sweep_page(path: Path, record: SweepRecord) -> Path:
    """Write the page atomically, and return its path. Raises StorageError if it cannot be written."""
    axes = _axes(record.trials)
    page = (
        template_environment()
        .get_template("sweep.html")
        .render(
            title=record.title,
            facts=_facts(record),
            panels=_drawn(_chart(histogram(panel, record), record) for panel in record.panels),
            columns=share_columns(record),
            shares=shares(record),
            effects=_drawn(_effects(record, _mean)),
            failures=_drawn(_failures(record)),
            pictures=[(each.title, each.note, _uri(each.png)) for each in record.pictures],
            axes=axes,
            rows=[_row(trial, axes) for trial in _ranked(record.trials)],
        )
    )
    write_atomically(path, page.encode("utf-8", "replace"))
    return path


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
    return "" if record.real_score is None else f"real images {number(record.real_score)}"


def histogram(panel: TrialPanel, record: SweepRecord) -> distribution.Histogram:
    """The histogram of a panel, with the paper's heights for the same trials."""
    known = {name: heights for name, heights in record.heights.items() if name in panel.published}
    return distribution.Histogram(panel.title, families(panel.trials), known, _bins(record))


def _bins(record: SweepRecord) -> distribution.Bins:
    """The paper's bins if the grid has them; else even bins over the range of all scores."""
    if record.published:
        return distribution.Bins(record.published.edges, "I'")
    scores = [score for own in families(record.trials).values() for score in own]
    return distribution.even_bins(scores, "score" if record.real_score is None else "I'")


def _chart(drawn: distribution.Histogram, record: SweepRecord) -> Chart:
    title = f"{drawn.title}: n = {', '.join(_counts(drawn, record))}" if drawn.published else drawn.title
    return Chart(title, "", Markup(distribution.histograms(drawn)))


def _counts(drawn: distribution.Histogram, record: SweepRecord) -> list[str]:
    """The number of trials of each family, and the paper's number if its heights are drawn, as text."""
    counts = {name: f"{len(scores):,} {name}" for name, scores in drawn.families.items() if scores}
    trials = record.published.trials if record.published else {}
    papers = {name: f" (paper {trials[name]:,})" for name in drawn.published if name in trials}
    return [count + papers.get(name, "") for name, count in counts.items()]


def _failures(record: SweepRecord) -> list[Chart]:
    """Charts of the share of failed trials by each axis, if the grid defines failure."""
    if record.published is None or record.real_score is None:
        return []
    return _effects(record, partial(share, bound=record.published.failed, below=True), percent=True)


def _effects(record: SweepRecord, measure: Measure, percent: bool = False) -> list[Chart]:
    """One chart per axis: a measure over all trials that share a value of the axis."""
    charts = []
    for axis in _axes(record.compared):
        having = [trial for trial in record.compared if axis in trial.settings and trial.counted is not None]
        values = sorted({trial.settings[axis] for trial in having}, key=_order)
        lines = {}
        for name in families(record.trials):
            own = [trial for trial in having if trial.family == name]
            scores = [[each.counted or 0.0 for each in own if each.settings[axis] == value] for value in values]
            lines[name] = [measure(some) for some in scores] if own else []
        svg = distribution.effect([*map(str, values)], lines, share=percent) if having else ""
        charts.append(Chart(axis, "", Markup(svg)))
    return charts


def _mean(scores: Sequence[float]) -> float | None:
    return statistics.fmean(scores) if scores else None


def _order(value: Any) -> tuple[bool, Any]:
    """Numbers by size, then words."""
    words = not isinstance(value, int | float)
    return words, str(value) if words else value


def _axes(trials: Sequence[TrialRecord]) -> list[str]:
    """The settings that differ among trials."""
    found = dict.fromkeys(axis for trial in trials for axis in trial.settings)
    return [axis for axis in found if len({repr(trial.settings.get(axis)) for trial in trials}) > 1]


def _ranked(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The trials by score, the best first; trials without a score come last."""
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
