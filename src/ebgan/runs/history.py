"""The records of runs as rows for pandas: `pandas.DataFrame(ebgan.run_records("runs/digits"))`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ebgan.errors import UsageError
from ebgan.storage.runfolder import RunFolder, read_records


def run_records(path: str | Path) -> list[dict[str, Any]]:
    """The records of a run, or of all runs in a folder, finished or not: a row for each number of images seen.

    A row has `run` (the folder's name), `images`, the values of stats.jsonl by name, and the metrics of
    evaluations.jsonl as `metrics/NAME`. Raises UsageError for a folder without runs.
    """
    folder = Path(path)
    homes = [folder] if is_run(folder) else runs_in(folder)
    if not homes:
        raise UsageError(f"{path}: no run here, nor in the folders below: expected what `ebgan train` writes")
    return [row for home in homes for row in _rows(RunFolder(home))]


def runs_in(folder: Path) -> list[Path]:
    """The run folders directly in a folder, by name."""
    return sorted(each for each in folder.iterdir() if is_run(each)) if folder.is_dir() else []


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run that has begun."""
    return RunFolder(folder).config.is_file()


def _rows(home: RunFolder) -> list[dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    for record in read_records(home.stats):
        rows[record["images"]] = {"run": home.path.resolve().name} | record
    for evaluation in read_records(home.evaluations):
        row = rows.setdefault(evaluation["images"], {"run": home.path.resolve().name, "images": evaluation["images"]})
        row |= {f"metrics/{name}": value for name, value in evaluation.get("metrics", {}).items()}
    return [rows[images] for images in sorted(rows)]
