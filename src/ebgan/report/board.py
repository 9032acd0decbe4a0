"""All runs of a folder on one page that needs nothing but itself: a table, curves, samples, what sets them apart."""

from __future__ import annotations

import colorsys
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import yaml
from markupsafe import Markup

from ebgan.report import plots, summary
from ebgan.report.html import Chart, data_uri, template_environment
from ebgan.storage.files import write_atomically
from ebgan.storage.runfolder import Record, RunFolder, read_records
from ebgan.tree_walk import flat

_TURN = 0.618  # of the colour wheel from a run to the next one: neighbours in the table differ most
_CURVES = (
    ("energy_real", "Energy of the data", "Mean over the batch."),
    ("energy_fake", "Energy of the samples", "In the generator's turn."),
    ("loss_discriminator", "Loss of the discriminator", ""),
    ("loss_generator", "Loss of the generator", ""),
)


class Cell(NamedTuple):
    """What a cell shows, and what it is sorted by."""

    text: str
    key: Any = ""


@dataclass(frozen=True)
class BoardRun:
    """A run on the board."""

    folder: RunFolder
    place: int
    board: Path  # the folder of the page

    @property
    def name(self) -> str:
        """The name of the run's folder."""
        return self.folder.path.resolve().name

    @property
    def color(self) -> str:
        """The colour of the run's curves, readable on white as on black."""
        red, green, blue = (round(255 * each) for each in colorsys.hls_to_rgb(self.place * _TURN % 1, 0.48, 0.62))
        return f"#{red:02x}{green:02x}{blue:02x}"

    @property
    def report(self) -> str:
        """The address of the run's own page from the board; "" if there is none."""
        return quote(os.path.relpath(self.folder.report, self.board)) if self.folder.report.is_file() else ""

    @property
    def words(self) -> str:
        """What the filter looks through."""
        return " ".join(str(self.config.get(name, "")) for name in ("objective.type", "data.source")) + f" {self.name}"

    @cached_property
    def config(self) -> dict[str, Any]:
        """The fields of config.yaml by path; none where it cannot be read."""
        try:
            tree = yaml.safe_load(self.folder.config.read_text("utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            return {}
        return flat(tree) if isinstance(tree, dict) else {}

    @cached_property
    def stats(self) -> list[Record]:
        """The records of training."""
        return read_records(self.folder.stats)

    @cached_property
    def metrics(self) -> list[Record]:
        """The metrics of each evaluation, with the images seen."""
        return [{"images": each["images"], **each.get("metrics", {})} for each in read_records(self.folder.evaluations)]


def write_board(folders: Sequence[Path], path: Path) -> Path:
    """Write the page of some run folders, finished or not, and return its path.

    Raises StorageError where the disk refuses.
    """
    runs = [BoardRun(RunFolder(folder), place, path.parent) for place, folder in enumerate(folders)]
    names = [name for name in summary.METRICS if any(name in record for run in runs for record in run.metrics)]
    fields = _differing(runs)
    page = (
        template_environment()
        .get_template("board.html")
        .render(
            title=path.parent.resolve().name,
            runs=runs,
            heads=[
                "progress",
                "objective",
                "images",
                "time",
                "alarms",
                *(summary.meaning(name).label for name in names),
            ],
            entries=[(run, _cells(run, names)) for run in runs],
            charts=_charts(runs, names),
            pictures=[(run, *_picture(run)) for run in runs if run.folder.grids()],
            fields=fields,
            differences=[(run, [_field(run.config.get(field, "")) for field in fields]) for run in runs],
        )
    )
    write_atomically(path, page.encode("utf-8", "replace"))
    return path


def _cells(run: BoardRun, names: Sequence[str]) -> list[Cell]:
    last: Record = run.stats[-1] if run.stats else {"images": 0}
    total, seconds = run.config.get("images"), last.get("seconds")
    share = last["images"] / total if isinstance(total, int) and total > 0 else None
    alarms = len(summary.alarms(read_records(run.folder.alarms)))
    return [
        Cell("" if share is None else f"{min(share, 1):.0%}", "" if share is None else share),
        Cell(str(run.config.get("objective.type", "")), run.config.get("objective.type", "")),
        Cell(f"{last['images']:,}", last["images"]),
        Cell("" if seconds is None else summary.duration(seconds), "" if seconds is None else seconds),
        Cell(str(alarms or ""), alarms),
        *(_metric(run, name) for name in names),
    ]


def _metric(run: BoardRun, name: str) -> Cell:
    values = [record[name] for record in run.metrics if name in record]
    return Cell(summary.number(values[-1], summary.meaning(name).share), values[-1]) if values else Cell("")


def _charts(runs: Sequence[BoardRun], names: Sequence[str]) -> list[Chart]:
    """The curves of all runs over each other; a metric is drawn where some run has more than one value of it."""
    charts = [
        Chart(title, note, Markup(plots.together([(run.color, run.stats) for run in runs], field)))
        for field, title, note in _CURVES
    ]
    for name in names:
        if any(sum(name in record for record in run.metrics) > 1 for run in runs):
            kind, lines = summary.meaning(name), [(run.color, run.metrics) for run in runs]
            note = f"Better: {kind.better}." if kind.better else ""
            charts.append(Chart(kind.label, note, Markup(plots.together(lines, name, share=kind.share))))
    return [chart for chart in charts if chart.svg]


def _picture(run: BoardRun) -> tuple[str, str]:
    images, path = run.folder.grids()[-1]
    return f"after {images:,} images seen", data_uri(path)


def _differing(runs: Sequence[BoardRun]) -> list[str]:
    """The fields whose values are not the same in all runs."""
    fields = dict.fromkeys(field for run in runs for field in run.config)
    return [field for field in fields if len({repr(run.config.get(field)) for run in runs}) > 1]


def _field(value: object) -> Cell:
    return Cell("" if value is None else str(value), "" if value is None else value)
