"""The output folder of `ebgan pack`, with the journal from which an interrupted pack resumes.

images.packed   the finished set
images.part     the pixels so far, until the set is finished
journal.jsonl   one JSON record per line: the plan (source and options), then the result of each stretch of files
rejected.csv    the files that could not be decoded, with the reasons
lock            held by the process that packs
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ebgan.csv_cells import csv_text
from ebgan.data.packed import START, Packed, open_packed
from ebgan.errors import DataError, RunLockedError, UsageError
from ebgan.storage.files import storage_errors, sweep_temporaries, write_atomically
from ebgan.storage.held import try_lock
from ebgan.storage.runfolder import Folder, Within, read_records

Plan = dict[str, Any]  # source and options of a pack: the first record


class Stretch(NamedTuple):
    """The result of decoding a stretch: some consecutive files."""

    files: int  # how many
    length: int  # bytes of pixels
    digest: str  # SHA-256 of the pixels
    grey: bool  # whether every picture is grey
    refused: list[tuple[int, str]]  # index within the stretch, and reason
    deepest: int  # the highest level in any 16-bit picture, 0 if there are none


class PackFolder(Folder):
    """Names within the folder, and what is there."""

    images = Within("images.packed")  # the packed file
    part = Within("images.part")  # the pixels so far
    journal = Within("journal.jsonl")  # what was done so far
    rejected = Within("rejected.csv")  # the files that were refused

    def begin(self, plan: Plan) -> list[Stretch]:
        """The finished stretches of a plan, none for a new one. Raises UsageError if the folder holds another plan."""
        records = read_records(self.journal)
        if not records:
            self._write(plan, [])
            return []
        if records[0] != plan:
            changes = [
                "the files have changed since" if key == "content" else f"{key} {records[0].get(key)} -> {plan[key]}"
                for key in plan
                if records[0].get(key) != plan[key]
            ]
            raise UsageError(
                f"{self.path}: holds a pack of other pictures or options: {'; '.join(changes)}. Choose another folder, "
                "or remove this one"
            )
        done = [Stretch(**record) for record in records[1:]]
        if not self.images.exists():
            done = self._verified(done)
            self._write(plan, done)  # drops a last line that was cut short by a kill
        return done

    def _write(self, plan: Plan, done: list[Stretch]) -> None:
        """Rewrite the journal."""
        lines = [json.dumps(record) + "\n" for record in (plan, *(stretch._asdict() for stretch in done))]
        write_atomically(self.journal, "".join(lines).encode())

    def add(self, stretch: Stretch) -> None:
        """Append a stretch to the journal, once its pixels are on the disk."""
        line = json.dumps(stretch._asdict()) + "\n"
        with storage_errors(self.journal, len(line)), self.journal.open("a") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def write_rejected(self, refused: list[tuple[str, str]]) -> None:
        """Write the list of refused files."""
        write_atomically(self.rejected, csv_text([("file", "reason"), *refused]).encode())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Create the folder if needed, and lock it for this process.

        Raises RunLockedError if another process holds it, and UsageError, before anything is written, if it contains
        files that are not a pack's.
        """
        self._check_ours()
        with storage_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        try:
            self._take(descriptor)
            sweep_temporaries(self.path)
            yield
        finally:
            os.close(descriptor)

    def _take(self, descriptor: int) -> None:
        if not try_lock(descriptor, self.path / "lock"):
            raise RunLockedError(f"{self.path}: another process packs here. Wait for it, or stop it.")

    def _check_ours(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path}: a file is there. Choose a folder that is new or empty")
        found = sorted(path.name for path in self.path.iterdir()) if self.path.is_dir() else []
        others = [name for name in found if name != "lock" and not name.endswith(".tmp")]
        if others and self.journal.name not in found:
            raise UsageError(f"{self.path}: holds other files ({others[0]}). Choose a folder that is new or empty")

    def _verified(self, done: list[Stretch]) -> list[Stretch]:
        """The stretches before the first one whose pixels in `images.part` are missing or changed."""
        if not self.part.exists():
            return []
        with self.part.open("rb") as file:
            if file.read(len(START)) != START:
                return []
            for index, stretch in enumerate(done):
                if hashlib.sha256(file.read(stretch.length)).hexdigest() != stretch.digest:
                    return done[:index]
        return done


def is_pack(folder: Path) -> bool:
    """Whether a folder is the output of `ebgan pack`, finished or not."""
    contents = PackFolder(folder)
    return contents.images.is_file() or contents.journal.is_file()


def open_pack(folder: Path) -> Packed:
    """The set that was packed into a folder. Raises DataError if packing was not finished."""
    contents = PackFolder(folder)
    if not contents.images.is_file():
        raise DataError(f"{folder}: packing was not finished: repeat the same `ebgan pack` command")
    packed = open_packed(contents.images)
    return replace(packed, notes=("classes as they were packed",)) if packed.classes else packed
