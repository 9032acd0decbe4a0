"""One class of digits as what is normal (Ruff et al., 2018): an energy trained on it alone finds the other nine.

For each class the training images of that class train, and the whole test set tests. AUROC of EBGAN with noised
negatives beside the same auto-encoder alone, with as many steps, and beside Deep SVDD as published. Each measurement is
a row of one_class.csv; a second call goes on after the last one. `--limit N` takes the first N classes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import fmean

from torch import Tensor

from ebgan.metrics import auroc, average_precision
from ebgan.recipes.index import Scale
from ebgan.reproductions.anomalies.image_methods import ALONE, NOISED, Trained
from ebgan.reproductions.anomalies.image_sets import Digits, opened
from ebgan.reproductions.anomalies.study import Measured, read_results, write_results
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.comparison import spread
from ebgan.reproductions.verdicts import below_in_pairs, within

FILE = "one_class.csv"
SEEDS: dict[Scale, int] = {"tiny": 1, "cpu": 3, "paper": 10}
STEPS: dict[Scale, int] = {"tiny": 30, "cpu": 1_000, "paper": 20_000}
NAMES = (NOISED, ALONE)
PUBLISHED = (0.980, 0.997, 0.917, 0.919, 0.949, 0.885, 0.983, 0.946, 0.939, 0.965)  # Deep SVDD on MNIST, table 1
GOAL = 0.96  # mean AUROC over the classes


def reproduce(asked: Request) -> Findings:
    """One class of MNIST as what is normal: EBGAN, the same auto-encoder alone, and Deep SVDD as published."""
    path, seeds = asked.out / FILE, asked.seeds or SEEDS[asked.scale]
    found, digits = read_results(path), opened(asked)
    known = {(each.table, each.seed, each.method) for each in found}
    for seed in range(seeds):
        for kind in range(10)[: asked.limit]:
            for name in NAMES:
                if (str(kind), seed, name) not in known:
                    found.append(measured(digits, kind, name, STEPS[asked.scale], seed))
                    asked.note(f"seed {seed}, class {kind}, {name}: AUROC {found[-1].auroc:.4f}")
                    write_results(path, found)
    return summary(found)


def measured(digits: Digits, kind: int, name: str, steps: int, seed: int) -> Measured:
    """What a method trained on a class reaches on the whole test set."""
    images = digits.train[digits.classes == kind]
    begun = time.process_time()
    energy = Trained.on(images, name, steps, seed).read(digits.test)
    seconds = time.process_time() - begun
    odd: Tensor = digits.tested != kind
    precision = average_precision(energy, odd)
    return Measured(
        str(kind), len(images), images[0].numel(), seed, name, auroc(energy, odd), precision, round(seconds, 3)
    )


def summary(found: Sequence[Measured]) -> Findings:
    """AUROC by class and over the classes, of the seeds for which each class was measured."""
    kinds = sorted({each.table for each in found})
    seeds = [seed for seed in sorted({each.seed for each in found}) if _whole(found, kinds, seed)]
    if not seeds:
        return Findings([], {})
    values = {name: {kind: [_value(found, kind, name, seed) for seed in seeds] for kind in kinds} for name in NAMES}
    means = {name: [fmean(each) for each in zip(*values[name].values(), strict=True)] for name in NAMES}
    rows = [
        ["class", *NAMES, "Deep SVDD, published"],
        *([kind, *(spread(values[name][kind]) for name in NAMES), f"{PUBLISHED[int(kind)]:.3f}"] for kind in kinds),
        ["mean", *(spread(means[name]) for name in NAMES), f"{fmean(PUBLISHED[int(kind)] for kind in kinds):.3f}"],
    ]
    by_class = {name: [fmean(each) for each in values[name].values()] for name in NAMES}
    return Findings(_claims(means, by_class), {}, {"AUROC, mean and standard deviation over seeds": rows})


def _claims(means: dict[str, list[float]], by_class: dict[str, list[float]]) -> list[Claim]:
    ours, alone = NAMES
    return [
        within(means[ours], low=GOAL).claim(f"mean AUROC of {ours}", f"{GOAL} or more", spread(means[ours])),
        below_in_pairs(by_class[alone], by_class[ours], of="digit").claim(
            f"AUROC of {ours} above that of the {alone}, by class",
            "higher",
            f"{spread(means[ours])}, alone {spread(means[alone])}",
        ),
    ]


def _value(found: Sequence[Measured], kind: str, name: str, seed: int) -> float:
    (value,) = (each.auroc for each in found if (each.table, each.method, each.seed) == (kind, name, seed))
    return value


def _whole(found: Sequence[Measured], kinds: Sequence[str], seed: int) -> bool:
    return sum(each.seed == seed for each in found) == len(kinds) * len(NAMES)
