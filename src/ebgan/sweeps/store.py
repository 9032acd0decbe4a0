"""The state of a sweep: an SQLite file with a row for each trial, written only by the driver.

SQLite's WAL mode keeps rows intact if the driver is killed, and lets others read meanwhile. Each change is synced to
the disk before the next one, so that none is lost in a power cut.

    waiting -> running -> done | diverged | failed

The sweep consists of the trials of the last call. Results of other trials from earlier calls are kept for later calls,
but not shown.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ebgan import config
from ebgan.errors import StorageError, UsageError
from ebgan.experiment.grid import Trial
from ebgan.storage.held import refuse_lost
from ebgan.sweeps.rows import Row, is_number, row_of
from ebgan.sweeps.training import Result
from ebgan.tree_walk import leaves

logger = logging.getLogger(__name__)

_TABLES = """
CREATE TABLE IF NOT EXISTS trials (
    id TEXT PRIMARY KEY,
    config TEXT NOT NULL,
    fields TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'waiting',
    score REAL,
    metrics TEXT NOT NULL DEFAULT '{}',
    seconds REAL,
    images_per_second REAL,
    picture BLOB,
    error TEXT NOT NULL DEFAULT '',
    finished REAL,
    place INTEGER
);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_ROW = "id, fields, status, score, metrics, seconds, images_per_second, error"
_ASKED = (
    "INSERT INTO trials (id, config, fields, place) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET place = coalesce(place, excluded.place)"
)
_PLACES = "SELECT coalesce(max(place) + 1, 0) FROM trials"
_IS_NUMBER = "typeof(score) = 'real' AND abs(score) < 1e300"
_PATIENCE = 30.0  # seconds to wait for another process's lock


class SweepStore:
    """The rows of one sweep; a context manager."""

    def __init__(self, path: Path) -> None:
        """Raises StorageError if the file cannot be opened or is not a sweep database."""
        self.path = path
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(os.fsencode(path), timeout=_PATIENCE, isolation_level=None)
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.executescript(_TABLES)

    def __enter__(self) -> SweepStore:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def expect(self, trials: Iterable[Trial]) -> None:
        """Make these trials the sweep, in this order; those without a result become waiting."""
        with self._change() as file:
            file.execute("DELETE FROM trials WHERE status NOT IN ('done', 'diverged')")
            file.execute("UPDATE trials SET place = NULL")
            _ask(file, trials)

    def add(self, trials: Iterable[Trial]) -> None:
        """Add trials; all others stay unchanged."""
        with self._change() as file:
            _ask(file, trials)

    def start(self, ids: Iterable[str]) -> None:
        """Mark trials as running."""
        with self._change() as file:
            file.executemany("UPDATE trials SET status = 'running' WHERE id = ? AND status = 'waiting'", _ones(ids))

    def wait(self, ids: Iterable[str]) -> None:
        """Mark trials as waiting again, without a result."""
        with self._change() as file:
            file.executemany("UPDATE trials SET status = 'waiting' WHERE id = ? AND status = 'running'", _ones(ids))

    def finish(self, results: Mapping[str, Result]) -> None:
        """Store results, all or none; a trial that already has a result keeps it."""
        rows = [
            (
                *(result.status, result.score, json.dumps(result.metrics), result.seconds, result.images_per_second),
                *(result.picture, result.error, time.time(), trial),
            )
            for trial, result in results.items()
        ]
        with self._change() as file:
            file.executemany(
                "UPDATE trials SET status = ?, score = ?, metrics = ?, seconds = ?, images_per_second = ?, "
                "picture = ?, error = ?, finished = ? WHERE id = ? AND status NOT IN ('done', 'diverged')",
                rows,
            )

    def state(self, **facts: str) -> None:
        """Store facts of the whole sweep by name, and replace earlier ones."""
        with self._change() as file:
            file.execute("DELETE FROM facts")
            file.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", list(facts.items()))

    def facts(self) -> dict[str, str]:
        """All facts stored by `state`."""
        with self._told():
            found = self._file.execute("SELECT name, value FROM facts").fetchall()
        return {name: value for name, value in found if isinstance(name, str) and isinstance(value, str)}

    def rows(self, ids: Iterable[str] | None = None) -> list[Row]:
        """The trials of the sweep, or those of these ids that have a row, in their order, without their pictures.

        A row that is not valid, since something else changed the file, is logged and left out.
        """
        with self._told():
            found = self._file.execute(f"SELECT {_ROW} FROM trials ORDER BY place").fetchall()
        rows: dict[str, Row] = {}
        for values in found:
            try:
                rows[values[0]] = row_of(values)
            except ValueError as error:
                logger.warning("%s: trial %.40s was changed and is ignored: its %s", self.path, values[0], error)
        return [rows[trial] for trial in (self._asked() if ids is None else ids) if trial in rows]

    def _asked(self) -> list[str]:
        with self._told():
            found = self._file.execute("SELECT id FROM trials WHERE place NOT NULL ORDER BY place").fetchall()
        return [row[0] for row in found]

    def finished(self) -> set[str]:
        """The trials that have a result and need none."""
        with self._told():
            found = self._file.execute("SELECT id FROM trials WHERE status IN ('done', 'diverged')").fetchall()
        return {row[0] for row in found}

    def scores(self) -> dict[str, float | None]:
        """The score of each trial that was trained to its end: id -> score, None if samples cannot be measured."""
        with self._told():
            found = self._file.execute("SELECT id, score FROM trials WHERE status = 'done'").fetchall()
        return {trial: score if is_number(score) else None for trial, score in found}

    def summary(self) -> tuple[dict[str, int], tuple[str, float] | None]:
        """The number of trials of each status, and the trial with the highest score."""
        asked = "FROM trials WHERE place NOT NULL"
        with self._told():
            counts = dict(self._file.execute(f"SELECT status, count(*) {asked} GROUP BY status").fetchall())
            best = self._file.execute(
                f"SELECT id, score {asked} AND {_IS_NUMBER} ORDER BY score DESC LIMIT 1"
            ).fetchone()
        return counts, best

    def picture(self, trial: str) -> bytes | None:
        """The PNG of a trial's samples."""
        found = self._cell("picture", trial)
        return found if isinstance(found, bytes) else None

    def config(self, trial: str) -> str:
        """The YAML of a trial's config, with which `ebgan train` reproduces it."""
        return str(self._cell("config", trial))

    def _cell(self, column: str, trial: str) -> Any:
        with self._told():
            found = self._file.execute(f"SELECT {column} FROM trials WHERE id = ?", (trial,)).fetchone()
        if found is None:
            raise UsageError(f"{self.path}: has no trial {trial}")
        return found[0]

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is stored, or nothing."""
        refuse_lost(self.path)
        with self._told():
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield self._file
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except StorageError:
            raise
        except (sqlite3.Error, OSError, UnicodeError) as error:
            raise StorageError(
                f"{self.path}: cannot be used as a sweep's state ({error}). Free some space or choose another folder; "
                "the same command goes on with the trials that have no result"
            ) from error


def _ask(file: sqlite3.Connection, trials: Iterable[Trial]) -> None:
    """Add a row for each new trial, and move trials without a position to the end of the sweep."""
    (first,) = file.execute(_PLACES).fetchone()
    file.executemany(
        _ASKED,
        (
            (trial.id, trial.experiment.to_yaml(), json.dumps(dict(leaves(config.plain(trial.experiment)))), index)
            for index, trial in enumerate(trials, first)
        ),
    )


def _ones(ids: Iterable[str]) -> list[tuple[str]]:
    return [(trial,) for trial in ids]
