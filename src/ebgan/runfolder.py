"""The run folder: the interface between training, which writes it, and everything that reads it.

config.yaml        the experiment, as it was built
code.txt           the user's own Python files that define classes of the config, a path a line, for the user to read
stats.jsonl        one record an interval: {"images", "seconds", and a number by name}
evaluations.jsonl  {"images", "metrics": {name: number}, "histogram": [share of each class], "classes": [its name],
                   "protocol": {...}}
alarms.jsonl       {"images", "alarm", "message"}
samples/           000012345.png: a grid of samples from a fixed noise, named by images seen
real.png           a grid of real images in the same layout
animation.gif      the pictures in samples/ one after the other, of a run on points
checkpoints/       000000012345.ckpt: the two newest, and best.ckpt
report.html        the run on one page
normal_energies.json  the energies of normal images that `ebgan score --normals` was given, and what read them
lock               held by the process that trains

The folder of a sweep holds trials.sqlite (a row a trial), report.html and lock.
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
from ebgan.record_checks import parsed, refuse_misfit
from ebgan.storage.files import read_file, refuse_endless, refuse_impossible, storage_errors, write_atomically
from ebgan.storage.held import refuse_lost

logger = logging.getLogger(__name__)

Record = dict[str, Any]
MOST_CODE_TEXT = 4096  # characters of code.txt that a message shows


@dataclass(frozen=True)
class RunFolder:
    """Names within a run folder, and the records that it holds."""

    path: Path

    @property
    def config(self) -> Path:
        """The experiment as YAML."""
        return self.path / "config.yaml"

    @property
    def code(self) -> Path:
        """The paths of the Python files that define the user's own classes, one a line."""
        return self.path / "code.txt"

    def code_files(self) -> list[str]:
        """The lines of this file as text for messages, without what a terminal would act on; [] if there is none."""
        if not self.code.is_file():
            return []
        try:
            with self.code.open(encoding="utf-8", errors="replace") as file:
                lines = file.read(MOST_CODE_TEXT).splitlines()
        except OSError:
            return []
        return ["".join(letter for letter in line if letter.isprintable()) for line in lines]

    @property
    def stats(self) -> Path:
        """Losses, energies and speeds, a JSON record a line."""
        return self.path / "stats.jsonl"

    @property
    def evaluations(self) -> Path:
        """Metrics of samples, a JSON record a line."""
        return self.path / "evaluations.jsonl"

    @property
    def alarms(self) -> Path:
        """What looked wrong while training, a JSON record a line."""
        return self.path / "alarms.jsonl"

    @property
    def real(self) -> Path:
        """A grid of real images."""
        return self.path / "real.png"

    @property
    def animation(self) -> Path:
        """The pictures of samples one after the other."""
        return self.path / "animation.gif"

    @property
    def report(self) -> Path:
        """The run on one self-contained page."""
        return self.path / "report.html"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def normal_energies(self) -> Path:
        """The energies of normal images, from which a threshold is taken."""
        return self.path / "normal_energies.json"

    @property
    def lock(self) -> Path:
        """The file that the training process holds locked."""
        return self.path / "lock"

    def refuse_unfit(self) -> None:
        """Raise, before any work, what training would meet here later.

        UsageError for a path that no folder can have, StorageError where something that is no file stands in the place
        of one.
        """
        files = (self.config, self.stats, self.evaluations, self.alarms, self.real, self.animation, self.report)
        refuse_impossible(files[2])
        for path in files:
            with storage_errors(path):
                if os.path.lexists(path) and not path.is_file():
                    raise StorageError(f"{path}: is no file, as training writes it: move it, or choose another folder")

    def grid(self, images: int) -> Path:
        """The grid of samples made after so many images seen."""
        return self.path / "samples" / f"{images:09d}.png"

    def grids(self) -> list[tuple[int, Path]]:
        """All grids of samples with the images seen, oldest first."""
        grids = (self.path / "samples").glob("*.png")
        return sorted((int(path.stem), path) for path in grids if path.stem.isdecimal() and path.is_file())


@dataclass(frozen=True)
class SweepFolder:
    """Names within the folder of a sweep."""

    path: Path

    @property
    def trials(self) -> Path:
        """The SQLite file with a row a trial."""
        return self.path / "trials.sqlite"

    @property
    def report(self) -> Path:
        """The sweep on one self-contained page."""
        return self.path / "report.html"

    @property
    def lock(self) -> Path:
        """The file that the driver holds locked."""
        return self.path / "lock"


def read_records(path: Path) -> list[Record]:
    """The JSON records of a file, oldest first; none if there is no file.

    A last line torn by a kill is left out; any other that is no record of its file is named on the log and left out.
    Raises StorageError where the file cannot be read, or is no regular one.
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
                logger.warning("%s: line %d is no record and is passed over: %s", path, index, error)
        else:
            records.append(record)
    return records


def append_record(path: Path, record: Mapping[str, Any]) -> None:
    """Add one JSON record to the end of a file. Raises StorageError where the disk refuses, or it is a link."""
    refuse_lost(path)
    with storage_errors(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            refuse_endless(descriptor, path)
            file.write(json.dumps(record) + "\n")


def keep_records(path: Path, images: int) -> None:
    """Drop the records made after so many images seen, and torn lines: a run that resumes makes them again."""
    if os.path.lexists(path):
        write_records(path, [record for record in read_records(path) if record["images"] <= images])


def write_records(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Replace a file by one of these records."""
    write_atomically(path, "".join(json.dumps(record) + "\n" for record in records).encode())
