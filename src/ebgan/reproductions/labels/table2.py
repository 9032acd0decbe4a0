"""Table 2 of the EBGAN paper: test errors of the Ladder network and of EBGAN-LN on MNIST with few labels.

The paper's two rows differ in more than the generator: EBGAN-LN is trained for 1.5 times as many steps, with 2.5 times
the learning rate. A third row, EBGAN-LN without its generator, shows the effect of these.

Each seed of each cell is a run in its own folder, which the same command resumes, and which other processes may train
(`semisupervised_mnist.ladder_quarter`). Where stacks of models are faster, as on a GPU, all seeds and numbers of labels
are trained as one stack. At scale `cpu` runs have a quarter of the paper's length, with all decays scaled and gamma at
the softmax (`shortened`), and take hours. There the Ladder network's learning rate is four times the paper's, so that
Adam moves as far as in the paper's steps, and as far as EBGAN-LN. Scale `tiny` uses the digits of scikit-learn.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean
from typing import NamedTuple

from ebgan.experiment import Experiment
from ebgan.recipes.index import Scale
from ebgan.recipes.semisupervised_mnist import (
    EBGAN_LN_STEPS,
    LADDER_RATE,
    LADDER_STEPS,
    QUARTER_RATE,
    ebgan_ln_of,
    ladder_of,
    shortened,
    without_generator,
)
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.labels.cell_runs import Errors, errors_of, said
from ebgan.reproductions.verdicts import below_in_pairs

PAPER = {  # error in per cent and its standard deviation over 15 seeds, by labels
    "Ladder network": {100: (1.36, 0.21), 200: (1.24, 0.09), 1000: (1.04, 0.06)},
    "EBGAN-LN": {100: (1.04, 0.12), 200: (0.99, 0.12), 1000: (0.89, 0.04)},
}
CONTROL = "EBGAN-LN without generator"
KINDS = (*PAPER, CONTROL)


class _Size(NamedTuple):
    share: float  # of the paper's number of steps
    labels: tuple[int, ...]
    seeds: int


SIZES: dict[Scale, _Size] = {
    "tiny": _Size(2e-4, (100,), 1),
    "cpu": _Size(0.25, (100,), 1),
    "paper": _Size(1.0, (100, 200, 1000), 15),
}


def reproduce(asked: Request) -> Findings:
    """Test errors of the Ladder network and EBGAN-LN with few labels, beside the paper's."""
    size = SIZES[asked.scale]
    counts, seeds = asked.labels or size.labels, range(asked.seeds or size.seeds)
    cells = {
        folder_of(kind, labels, seed): experiment_of(kind, labels, seed, asked.scale)
        for labels in counts
        for seed in seeds
        for kind in KINDS
    }
    found = errors_of(cells, asked)
    errors: dict[int, dict[str, Errors]] = {
        labels: {kind: [found[folder_of(kind, labels, seed)] for seed in seeds] for kind in KINDS} for labels in counts
    }
    rows = [["labels", *(f"{kind}{whose}" for kind in PAPER for whose in ("", ", paper")), CONTROL]]
    rows += [_row(labels, found) for labels, found in errors.items()]
    claims = [claim for labels, found in errors.items() for claim in _claims(labels, found)]
    return Findings(claims, {}, {"test error, %": rows})


def folder_of(kind: str, labels: int, seed: int) -> str:
    """The name of a run's folder."""
    return f"{kind.lower().replace(' ', '-')}-{labels}-{seed}"


def experiment_of(kind: str, labels: int, seed: int, scale: Scale) -> Experiment:
    """The experiment of a run of the table."""
    share = SIZES[scale].share
    if kind == "Ladder network":
        rate = QUARTER_RATE if scale == "cpu" else LADDER_RATE
        made = ladder_of(round(LADDER_STEPS * share), labels, seed, rate)
    else:
        made = ebgan_ln_of(round(EBGAN_LN_STEPS * share), labels, seed)
        made = without_generator(made) if kind == CONTROL else made
    if scale == "tiny":
        return replace(made, data=replace(made.data, source="digits"))
    return shortened(made) if scale == "cpu" else made


def _row(labels: int, found: dict[str, Errors]) -> list[str]:
    cells = ((said(found[kind]), _published(kind, labels)) for kind in PAPER)
    return [str(labels), *(cell for pair in cells for cell in pair), said(found[CONTROL])]


def _published(kind: str, labels: int) -> str:
    """The paper's error for this number of labels as text, if it states one."""
    known = PAPER[kind].get(labels)
    return "{:.2f} +- {:.2f}".format(*known) if known else ""


def _claims(labels: int, found: dict[str, Errors]) -> list[Claim]:
    """The claims that EBGAN-LN's error is lower than the others', over the seeds with which no run diverged."""
    by_seed = zip(*(found[kind] for kind in KINDS), strict=True)
    known = [errors for seed in by_seed if len(errors := [error for error in seed if error is not None]) == len(KINDS)]
    if not known:
        return []
    ladder, ebgan_ln, control = (list(errors) for errors in zip(*known, strict=True))
    paper = [known[labels][0] for known in PAPER.values() if labels in known]
    expected = "{:.2f} falls to {:.2f}".format(*paper) if paper else "falls"
    return [
        below_in_pairs(ebgan_ln, others).claim(claim, words, f"{fmean(others):.2f} falls to {fmean(ebgan_ln):.2f}")
        for claim, words, others in (
            (f"EBGAN-LN has a lower error than the Ladder network, {labels} labels", expected, ladder),
            (f"EBGAN-LN has a lower error than without its generator, {labels} labels", "falls", control),
        )
    ]
