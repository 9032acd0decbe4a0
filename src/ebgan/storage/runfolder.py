"""The run folder: training writes it, and reports, evaluation and resuming read it.

config.yaml        the experiment
code.txt           the user's own Python files that define classes of the config, one path per line, for information
stats.jsonl        one record per interval: {"images", "seconds", name: number, ...}
evaluations.jsonl  {"images", "metrics": {name: number}, "histogram": [share of each class], "classes": [its name],
                   "protocol": {...}}
alarms.jsonl       {"images", "alarm", "message"}
samples/           000012345.png: a grid of samples from a fixed noise, named by images seen
real.png           a grid of real images in the same layout
animation.gif      the pictures in samples/ as an animation, for runs on points
checkpoints/       000000012345.ckpt: the two newest, and best.ckpt
report.html        the report of the run
normal_energies.json  the energies of the normal images given to `ebgan score --normals`, with the model's fingerprint
lock               held by the process that trains

The folder of a sweep holds trials.sqlite (one row per trial), report.html and lock.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ebgan.errors import StorageError
from ebgan.storage.files import read_file, refuse_endless, refuse_impossible, storage_errors, write_atomically
from ebgan.storage.held import refuse_lost
from ebgan.storage.record_checks import parsed, refuse_misfit

logger = logging.getLogger(__name__)

Record = dict[str, Any]
MOST_CODE_TEXT = 4096  # characters of code.txt that a message shows


@dataclass(frozen=True)
class Folder:
    """The paths within a run folder."""

    path: Path


class Within:
    """The path of a file or folder within a `Folder`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, folder: Folder, kind: type[Folder] | None = None) -> Path:
        return folder.path / self.name


class RunFolder(Folder):
    """Names within a run folder, and the records that it holds."""

    config = Within("config.yaml")  # the experiment as YAML
    code = Within("code.txt")  # the paths of the Python files that define the user's own classes, one a line
    stats = Within("stats.jsonl")  # losses, energies and speeds, a JSON record a line
    evaluations = Within("evaluations.jsonl")  # metrics of samples, a JSON record a line
    alarms = Within("alarms.jsonl")  # what looked wrong while training, a JSON record a line
    real = Within("real.png")  # a grid of real images
    animation = Within("animation.gif")  # the pictures of samples one after the other
    report = Within("report.html")  # the run on one self-contained page
    checkpoints = Within("checkpoints")  # the folder of checkpoints
    lock = Within("lock")  # the file that the training process holds locked

    def code_files(self) -> list[str]:
        """The lines of `code` as text for messages, without what a terminal would act on; [] if there is none."""
        if not self.code.is_file():
            return []
        try:
            with self.code.open(encoding="utf-8", errors="replace") as file:
                lines = file.read(MOST_CODE_TEXT).splitlines()
        except OSError:
            return []
        return ["".join(letter for letter in line if letter.isprintable()) for line in lines]

    def refuse_unfit(self) -> None:
        """Check, before any work, that training can write here.

        Raises UsageError for an impossible path, StorageError if one of the files exists but is not a regular file.
        """
        files = (self.config, self.stats, self.evaluations, self.alarms, self.real, self.animation, self.report)
        refuse_impossible(files[2])
        for path in files:
            with storage_errors(path):
                if os.path.lexists(path) and not path.is_file():
                    raise StorageError(f"{path}: is not a regular file: move it away, or choose another folder")

    def grid(self, images: int) -> Path:
        """The grid of samples drawn after `images` images seen."""
        return self.path / "samples" / f"{images:09d}.png"

    def grids(self) -> list[tuple[int, Path]]:
        """All grids of samples with the images seen, oldest first."""
        grids = (self.path / "samples").glob("*.png")
        return sorted((int(path.stem), path) for path in grids if path.stem.isdecimal() and path.is_file())

    def landscape(self, images: int) -> Path:
        """The arrays of the energy landscape after so many images seen, of a run on points."""
        return self.path / "samples" / f"{images:09d}.npz"

    def landscapes(self) -> list[Path]:
        """The arrays of all landscapes, oldest first."""
        return sorted(path for path in (self.path / "samples").glob("*.npz") if path.stem.isdecimal())


class SweepFolder(Folder):
    """Names within the folder of a sweep."""

    trials = Within("trials.sqlite")  # the SQLite file with a row a trial
    report = Within("report.html")  # the sweep on one self-contained page
    lock = Within("lock")  # the file that the driver holds locked


def read_records(path: Path) -> list[Record]:
    """The JSON records of a file, oldest first; [] if there is no file.

    A last line cut short by a kill is ignored; other lines that are not valid records are ignored with a warning.
    Raises StorageError if the file cannot be read or is not a regular file.
    """
    records = []
    lines = (read_file(path) or b"").decode("utf-8", "replace").split("\n")
    for index, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = parsed(line)
            refuse_misfit(record, path.name)
        except ValueError as error:
            if index < len(lines):
                logger.warning("%s: line %d is not a record and is ignored: %s", path, index, error)
        else:
            records.append(record)
    return records


def append_record(path: Path, record: Mapping[str, Any]) -> None:
    """Append a JSON record to a file. Raises StorageError if it cannot be written or is a link."""
    refuse_lost(path)
    with storage_errors(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            refuse_endless(descriptor, path)
            file.write(json.dumps(record) + "\n")


def keep_records(path: Path, images: int) -> None:
    """Drop the records after `images` images seen, and invalid lines: a resumed run writes them again."""
    if os.path.lexists(path):
        write_records(path, [record for record in read_records(path) if record["images"] <= images])


def write_records(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Replace a file's records."""
    write_atomically(path, "".join(json.dumps(record) + "\n" for record in records).encode())
