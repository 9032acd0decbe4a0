"""Images that are no digits of the set that trained: constants, noise, mirrored, blended and other digits.

An auto-encoder trained on MNIST's digits, alone, inside EBGAN with noised negatives, and as a normalised auto-encoder;
its AUROC for each kind of image against MNIST's test digits. Each measurement is a row of out_of_distribution.csv; a
second call goes on after the last one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from ebgan.metrics import auroc, average_precision
from ebgan.recipes.index import Scale
from ebgan.reproductions.anomalies.image_methods import CHAINED, METHODS, NOISED, Trained
from ebgan.reproductions.anomalies.image_sets import Digits, opened, strangers
from ebgan.reproductions.anomalies.study import Measured, read_results, write_results
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.comparison import spread
from ebgan.reproductions.verdicts import within

FILE = "out_of_distribution.csv"
SEEDS: dict[Scale, int] = {"tiny": 1, "cpu": 3, "paper": 3}
STEPS: dict[Scale, int] = {"tiny": 30, "cpu": 2_000, "paper": 50_000}
TESTED = 2_000  # digits that test, and images of each kind
CLAIMED = ("constants", "noise", "blends of two")
GOAL = 0.95


def reproduce(asked: Request) -> Findings:
    """MNIST against constants, noise, mirrored, blended and other digits: auto-encoders alone, EBGAN and NAE."""
    path, seeds = asked.out / FILE, asked.seeds or SEEDS[asked.scale]
    found, digits = read_results(path), opened(asked)
    known = {(each.seed, each.method) for each in found}
    for seed in range(seeds):
        for name in METHODS:
            if (seed, name) not in known:
                found += measured(digits, name, STEPS[asked.scale], seed)
                asked.note(
                    ", ".join(f"{each.table} {each.auroc:.3f}" for each in found[-5:]) + f": {name}, seed {seed}"
                )
                write_results(path, found)
    return summary(found)


def measured(digits: Digits, name: str, steps: int, seed: int) -> list[Measured]:
    """What a method reaches on each kind."""
    begun = time.process_time()
    trained = Trained.on(digits.train, name, steps, seed)
    seconds = round(time.process_time() - begun, 3)
    tested = digits.test[:TESTED]
    own, rows = trained.read(tested), []
    for kind, images in strangers(tested, seed).items():
        energy = torch.cat((own, trained.read(images)))
        odd = torch.arange(len(energy)) >= len(own)
        area, precision = auroc(energy, odd), average_precision(energy, odd)
        rows.append(Measured(kind, len(digits.train), images[0].numel(), seed, name, area, precision, seconds))
    return rows


def summary(found: Sequence[Measured]) -> Findings:
    """AUROC by kind and method."""
    kinds = list(dict.fromkeys(each.table for each in found))
    names = [name for name in METHODS if any(each.method == name for each in found)]

    def values(kind: str, name: str) -> list[float]:
        return [each.auroc for each in found if (each.table, each.method) == (kind, name)]

    rows = [["kind", *names], *([kind, *(spread(values(kind, name)) for name in names)] for kind in kinds)]
    claims: list[Claim] = [
        within(values(kind, name), low=GOAL).claim(
            f"{name}: AUROC of {kind}", f"{GOAL} or more", spread(values(kind, name))
        )
        for name in (NOISED, CHAINED)
        if name in names
        for kind in CLAIMED
    ]
    return Findings(claims, {}, {"AUROC against digits, mean and standard deviation over seeds": rows})
