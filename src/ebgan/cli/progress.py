"""Show the progress of a run on a terminal, and its results at the end."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ebgan.distributed import rank
from ebgan.experiment import Experiment
from ebgan.report import metric_rows
from ebgan.storage.runfolder import Record, RunFolder, read_records

_FIELDS = {  # name in a record -> format; short, so that all fit on a line of 80 characters
    "images_per_second": "{:,.0f}/s",
    "energy_real": "E(x) {:.2f}",
    "energy_fake": "E(G(z)) {:.2f}",
    "margin": "m {:g}",
    "hinge_share": "<m {:.0%}",
}


class ProgressBar:
    """A training observer that shows images seen, time left, speed, energies, margin m and share of samples below m."""

    def __init__(self, experiment: Experiment) -> None:
        self.console = Console(stderr=True, quiet=rank().index > 0)
        columns = (BarColumn(8), TextColumn("{task.completed:,.0f}/{task.total:,.0f}"), TimeRemainingColumn())
        self.bar = Progress(*columns, TextColumn("{task.description}"), console=self.console)
        self.task = self.bar.add_task("starting", total=experiment.images)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar.live.is_started:
            self.bar.stop()

    def record(self, record: Record) -> None:
        """Update the bar; it appears with the first record."""
        self.bar.start()
        images = min(record["images"], int(self.bar.tasks[0].total or 0))
        self.bar.update(self.task, completed=images, description=shown_values(record))

    def notice(self, text: str) -> None:
        """Print a message above the bar."""
        self.console.print(Text(text, style="yellow"))


def shown_values(record: Record) -> str:
    """The main values of a record on one line."""
    return " ".join(shown.format(record[name]) for name, shown in _FIELDS.items() if name in record)


def print_summary(out: Path) -> None:
    """Print the last metrics, and the paths of the newest samples, report and checkpoint in the run folder `out`."""
    if rank().index > 0:
        return
    folder = RunFolder(out)
    grids, checkpoints = folder.grids(), sorted(folder.checkpoints.glob("[0-9]*.ckpt"))
    evaluations = read_records(folder.evaluations)
    if evaluations:
        last = evaluations[-1]
        Console().print(metrics_table(last, f"after {last['images']:,} images seen"))
    found = {"samples": [path for _, path in grids], "report": [folder.report], "checkpoint": checkpoints}
    for name, paths in found.items():
        if paths:
            print(f"{name:<11}{paths[-1]}")


def metrics_table(evaluation: Record, title: str) -> Table:
    """A table of an evaluation's metrics, beside the same metrics of real images."""
    if "classification" in evaluation:
        table = Table("metric", "run", "of the tested images", "better", title=title)
        for row in metric_rows(evaluation):
            table.add_row(row.label, row.samples, row.interval, row.better)
        return table
    table = Table("metric", "samples", "real images", "better", title=title)
    for row in metric_rows(evaluation):
        table.add_row(row.label, row.samples, row.real, row.better)
    return table
