"""The folder that `ebgan pack` fills, and the journal by which it goes on after it was stopped.

images.packed   the set, once it is whole
images.part     pixels, while there are more to come
journal.jsonl   a JSON record a line: first what is packed and how, then what came of each stretch of files
rejected.csv    the files that were refused, with the reasons
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

Plan = dict[str, Any]  # what is packed and how: the first record


class Stretch(NamedTuple):
    """What came of some files, one after the other."""

    files: int
    length: int  # bytes of pixels
    digest: str  # SHA-256 of the pixels
    grey: bool  # whether every picture is
    refused: list[tuple[int, str]]  # places among the files, and reasons
    deepest: int  # the highest level of pictures of 16 bits, 0 where there are none


class PackFolder(Folder):
    """Names within the folder, and what is there."""

    images = Within("images.packed")  # the packed file
    part = Within("images.part")  # the pixels so far
    journal = Within("journal.jsonl")  # what was done so far
    rejected = Within("rejected.csv")  # the files that were refused

    def begin(self, plan: Plan) -> list[Stretch]:
        """What is done of a plan; none if it is a new one, which is noted. Raises UsageError if another is here."""
        there = read_records(self.journal)
        if not there:
            self._write(plan, [])
            return []
        if there[0] != plan:
            changes = [
                "the files have changed since" if key == "content" else f"{key} {there[0].get(key)} -> {plan[key]}"
                for key in plan
                if there[0].get(key) != plan[key]
            ]
            raise UsageError(
                f"{self.path}: holds a pack of other pictures or options: {'; '.join(changes)}. Choose another folder, "
                "or remove this one"
            )
        done = [Stretch(**record) for record in there[1:]]
        if not self.images.exists():
            done = self._verified(done)
            self._write(plan, done)  # without a line that a kill has torn
        return done

    def _write(self, plan: Plan, done: list[Stretch]) -> None:
        """Write the journal anew."""
        lines = [json.dumps(record) + "\n" for record in (plan, *(stretch._asdict() for stretch in done))]
        write_atomically(self.journal, "".join(lines).encode())

    def add(self, stretch: Stretch) -> None:
        """Note a stretch whose pixels are on the disk."""
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
        """Hold the folder, which is made, for this process alone.

        Raises RunLockedError if another process does, and UsageError, before anything is written, if other files are
        in it.
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
        """The stretches, up to the first whose pixels are not there as they were written."""
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
    """Whether `ebgan pack` fills or has filled a folder."""
    there = PackFolder(folder)
    return there.images.is_file() or there.journal.is_file()


def open_pack(folder: Path) -> Packed:
    """The set that was packed into a folder. Raises DataError if that was not finished."""
    there = PackFolder(folder)
    if not there.images.is_file():
        raise DataError(f"{folder}: packing was stopped before its end: give the same `ebgan pack` command once more")
    packed = open_packed(there.images)
    return replace(packed, notes=("classes as they were packed",)) if packed.classes else packed
