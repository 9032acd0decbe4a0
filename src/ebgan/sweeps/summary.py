"""Make the report of a sweep from the rows of its store: families, axes, panels and samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ebgan.report.sweep import write_sweep_page
from ebgan.report.trials import Published, SweepRecord, TrialPanel, TrialRecord, TrialSamples
from ebgan.storage.runfolder import SweepFolder
from ebgan.sweeps import moved
from ebgan.sweeps.rows import Row
from ebgan.sweeps.store import SweepStore

FAMILY = "objective.type"


def write_sweep_report(folder: SweepFolder, published: Published | None = None) -> Path:
    """Write report.html of a sweep, finished or not, with the numbers published for its grid, and return its path.

    Raises StorageError if it cannot be written.
    """
    return write_sweep_page(folder.report, sweep_record(folder, published))


def sweep_record(folder: SweepFolder, published: Published | None, ids: Iterable[str] | None = None) -> SweepRecord:
    """The content of the report: the trials of the last call, finished or not, or those with these ids.

    With halving, the trials of each rung are drawn together, without published numbers.
    """
    with SweepStore(folder.trials) as store:
        facts, rows = store.facts(), store.rows(ids)
        halving = facts.pop("halving", "") if ids is None else ""
        facts.pop(moved.FACT, None)
        title = " ".join(facts.values()) or folder.path.resolve().name
        trials = trial_records(rows)
        pictures = _pictures(store, trials)
    record = SweepRecord(title, trials, [], pictures, published, halving)
    if all(trial.score is None for trial in trials):
        return record
    if halving:
        rungs = record.rungs.items()
        return record._replace(
            panels=[TrialPanel(f"{len(of):,} trials of {images:,} images", of) for images, of in rungs]
        )
    return record._replace(panels=published.panels(trials) if published else [TrialPanel("All trials", trials)])


def trial_records(rows: Sequence[Row]) -> list[TrialRecord]:
    """The rows as trials, with their settings: the fields that differ within their family."""
    families = dict.fromkeys(row.fields[FAMILY] for row in rows)
    names = {family: _axes([row for row in rows if row.fields[FAMILY] == family]) for family in families}
    return [
        TrialRecord(
            id=row.id,
            family=row.fields[FAMILY],
            status=row.status,
            settings={
                label: _setting(row.fields[path])
                for path, label in names[row.fields[FAMILY]].items()
                if path in row.fields
            },
            score=row.score,
            metrics=row.metrics,
            seconds=row.seconds,
            error=row.error,
            images=row.fields["images"],
            fields=row.fields,
        )
        for row in rows
    ]


def _setting(value: Any) -> Any:
    """A value of a field as shown in the report; a list becomes text."""
    return str(value) if isinstance(value, list) else value


def _axes(rows: Sequence[Row]) -> dict[str, str]:
    """The fields that differ: path -> label; of fields that always change together, only the first."""
    found: dict[tuple[int, ...], str] = {}
    labels: dict[str, str] = {}
    for path in dict.fromkeys(path for row in rows for path in row.fields):
        column = [repr(row.fields.get(path)) for row in rows]
        codes: dict[str, int] = {}
        pattern = tuple(codes.setdefault(value, len(codes)) for value in column)
        if len(codes) == 1:
            continue
        if pattern in found:
            if column == [repr(row.fields.get(found[pattern])) for row in rows]:
                front, _, name = path.rpartition(".")
                labels[found[pattern]] = front.partition(".")[0] if name == "type" else name  # one for several fields
            continue
        found[pattern] = path
        labels[path] = _label(path)
    counts = Counter(labels.values())
    return {path: label if counts[label] == 1 else path for path, label in labels.items()}


def _label(path: str) -> str:
    """A short label for a path: its last name, or for the type of a part, the part's whole path."""
    if path.endswith(".type"):
        return path.removesuffix(".type")
    return path.partition(".")[2] or path


def _pictures(store: SweepStore, trials: Sequence[TrialRecord]) -> list[TrialSamples]:
    """Samples of the best, the median and the worst trial of each family, among those that saw the most images."""
    pictures = []
    longest = max((trial.images for trial in trials), default=0)
    for family in dict.fromkeys(trial.family for trial in trials):
        own = [trial for trial in trials if trial.family == family and trial.images == longest]
        ranked = sorted((trial for trial in own if trial.counted is not None), key=lambda trial: -(trial.counted or 0))
        if not ranked:
            continue
        titles = {ranked[len(ranked) // 2].id: "median", ranked[-1].id: "worst", ranked[0].id: "best"}
        for trial in (trial for trial in ranked if trial.id in titles):
            png = store.picture(trial.id)
            if png or trial.score is None:
                settings = ", ".join(f"{axis} {value}" for axis, value in trial.settings.items())
                score = "diverged" if trial.score is None else f"{trial.score:.3f}"
                pictures.append(TrialSamples(f"{family}, {titles[trial.id]}: {score}", settings, png or b""))
    return pictures
