"""Anomaly detection on ADBench's tables: the energy, the same auto-encoder without a generator, and scikit-learn's.

    AUROC, average precision    of every detector on every table, for several seeds of split and training
    mean rank                   of a detector's mean AUROC among all detectors, over the tables
    paired test                 Wilcoxon's, on the mean AUROC of each table, with against without the generator

Each measurement is written to results.csv at once; a second call resumes after the last one. `--limit N` takes only the
N smallest files.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from statistics import fmean, pstdev

import numpy as np

from ebgan.csv_cells import as_it_was, csv_text
from ebgan.errors import StorageError
from ebgan.recipes.index import Scale
from ebgan.reproductions.anomalies.methods import ALONE, DEFAULT, METHODS, Method
from ebgan.reproductions.anomalies.tables import Table, TrainTestSplit, in_folder, read, shipped
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.comparison import spread
from ebgan.reproductions.verdicts import Share, at_least
from ebgan.storage.files import read_file, write_atomically

FILE = "results.csv"
SEEDS: dict[Scale, int] = {"tiny": 1, "cpu": 3, "paper": 5}
MOST: dict[Scale, int] = {"tiny": 200, "cpu": 5_000, "paper": 10**9}  # most training rows, and test rows of each kind
ABOVE = 0.6  # claimed share of the tables on which the generator helps
FIRST = 3  # claimed place of the default's mean rank, at most


@dataclass(frozen=True)
class Measured:
    """The result of a detector on a table with one seed: a row of results.csv."""

    table: str
    rows: int
    features: int
    seed: int
    method: str
    auroc: float
    average_precision: float
    seconds: float  # of fitting and scoring, wall clock


def reproduce(asked: Request) -> Findings:
    """Anomalies in ADBench's tables: the energy, the same auto-encoder without generator, scikit-learn's detectors."""
    path, seeds = asked.out / FILE, asked.seeds or SEEDS[asked.scale]
    found = read_results(path)
    known = {(each.table, each.seed, each.method) for each in found}
    for table in opened(asked):
        asked.note(
            f"{table.name}: {len(table.rows):,} rows of {table.features}, {table.anomalous.mean():.1%} anomalies"
        )
        for seed in range(seeds):
            split = table.split(seed, MOST[asked.scale])
            for name, method in METHODS.items():
                if (table.name, seed, name) not in known:
                    found.append(measured(table, split, seed, name, method))
                    write_results(path, found)
    return summary(found)


def opened(asked: Request) -> Iterator[Table]:
    """Yield the tables, the smallest file first."""
    if asked.scale == "tiny":
        yield from shipped()[: asked.limit]
    else:
        yield from map(read, in_folder(Path(asked.data or "adbench"))[: asked.limit])


def measured(table: Table, split: TrainTestSplit, seed: int, name: str, method: Method) -> Measured:
    """Measure a method on a split."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    begun = time.perf_counter()
    scores = method(split.train, split.test, seed)
    seconds = time.perf_counter() - begun
    auroc, precision = roc_auc_score(split.anomalous, scores), average_precision_score(split.anomalous, scores)
    return Measured(
        table.name, len(table.rows), table.features, seed, name, float(auroc), float(precision), round(seconds, 3)
    )


def write_results(path: Path, found: Sequence[Measured]) -> None:
    """Write all measurements as CSV."""
    names = tuple(field.name for field in fields(Measured))
    write_atomically(path, csv_text([names, *map(astuple, found)]).encode())


def read_results(path: Path) -> list[Measured]:
    """The measurements in a file; [] if it does not exist. Raises StorageError for a file of another format."""
    content = read_file(path)
    if content is None:
        return []
    try:
        rows = list(csv.DictReader(content.decode().splitlines()))
        return [
            Measured(
                as_it_was(row["table"]),
                int(row["rows"]),
                int(row["features"]),
                int(row["seed"]),
                as_it_was(row["method"]),
                float(row["auroc"]),
                float(row["average_precision"]),
                float(row["seconds"]),
            )
            for row in rows
        ]
    except (KeyError, ValueError, TypeError) as error:
        raise StorageError(
            f"{path}: not a file of this study's results ({error}): move it, or choose another folder"
        ) from error


def summary(found: Sequence[Measured]) -> Findings:
    """Tables of means, and the claims, over the data tables on which every method was measured."""
    tables = list(dict.fromkeys(each.table for each in found))
    names = [name for name in METHODS if any(each.method == name for each in found)]
    aurocs = {name: {table: _values(found, table, name, "auroc") for table in tables} for name in names}
    whole = [table for table in tables if all(aurocs[name][table] for name in names)]
    if not whole:
        return Findings([], {})
    ranks = mean_ranks(np.array([[fmean(aurocs[name][table]) for name in names] for table in whole]))
    listed = [["table", *names], *([table, *(spread(aurocs[name][table]) for name in names)] for table in whole)]
    ranked = [
        ["detector", "mean rank", "mean AUROC", "mean average precision", "mean seconds"],
        *(
            [name, f"{rank:.2f}", *(f"{fmean(_over(found, whole, name, what)):.4g}" for what in WHAT)]
            for rank, name in sorted(zip(ranks, names, strict=True))
        ),
    ]
    claims = _claims(aurocs, whole, dict(zip(names, ranks, strict=True)))
    return Findings(claims, {}, {"AUROC, mean and standard deviation over seeds": listed, "over all tables": ranked})


WHAT = ("auroc", "average_precision", "seconds")


def mean_ranks(means: np.ndarray) -> list[float]:
    """Each method's rank by `means` [tables, methods], averaged over tables: 1 is the highest; ties share a rank."""
    from scipy.stats import rankdata

    return [float(rank) for rank in rankdata(-means.round(6), axis=1).mean(0)]


def _claims(aurocs: dict[str, dict[str, list[float]]], tables: list[str], ranks: dict[str, float]) -> list[Claim]:
    """Claims: the generator helps, and the default detector ranks among the first."""
    gains = [fmean(aurocs[DEFAULT][table]) - fmean(aurocs[ALONE][table]) for table in tables]
    share = Share(sum(gain > 0 for gain in gains), len(gains))
    place = sorted(ranks.values()).index(ranks[DEFAULT]) + 1
    spreads = [pstdev(aurocs[DEFAULT][table]) for table in tables]
    return [
        at_least(share, ABOVE, "table").claim(
            "AUROC of the energy above that of the same auto-encoder without generator",
            f"on {ABOVE:.0%} of the tables",
            f"on {share.hits} of {share.trials}; mean gain {fmean(gains):+.4f}; Wilcoxon's p {wilcoxon(gains)}",
        ),
        Claim(
            "mean rank of the energy among all detectors",
            f"among the first {FIRST}",
            f"{ranks[DEFAULT]:.2f}, place {place} of {len(ranks)}",
            place <= FIRST if len(tables) > 1 else None,
            f"n = {len(tables)} tables, no test",
        ),
        Claim(
            "AUROC's standard deviation over seeds of split and training",
            "0.02 or less on most tables",
            f"median {np.median(spreads):.3f}, largest {max(spreads):.3f}",
            bool(np.median(spreads) <= 0.02) if len(aurocs[DEFAULT][tables[0]]) > 1 else None,
            f"n = {len(tables)} tables, no test",
        ),
    ]


def wilcoxon(gains: Sequence[float]) -> str:
    """The two-sided p-value of Wilcoxon's signed-rank test as text; "unknown" where all gains are 0."""
    from scipy.stats import wilcoxon as signed_rank

    return f"{float(signed_rank(gains).pvalue):.3g}" if any(gains) else "unknown"


def _values(found: Sequence[Measured], table: str, method: str, what: str) -> list[float]:
    return [float(getattr(each, what)) for each in found if each.table == table and each.method == method]


def _over(found: Sequence[Measured], tables: Sequence[str], method: str, what: str) -> list[float]:
    return [fmean(_values(found, table, method, what)) for table in tables]
