"""What figures 2 and 3 of the EBGAN paper show of its grid, and where they divide its trials.

The heights are those of one published panel, read off its picture: per cent of models in 25 bins of I' from 0 to 1.92.
Bars of the GANs under 0.2 could not be told from none. The bounds of failed and good trials are our choice: the paper's
histogram has its failures in three of its bins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ebgan.report.trials import Published, TrialPanel, TrialRecord

DEPTHS = ("nets.generator.depth", "nets.discriminator.depth")
OPTIMISERS = ("optimisers.discriminator.type", "optimisers.generator.type", "optimisers.discriminator.lr")
SHALLOWER = (4, 3)  # the most weight layers in figure 2(b) and 2(c)


def panels(trials: Sequence[TrialRecord]) -> list[TrialPanel]:
    """All trials; those of shallow nets (figure 2 b, c); and those of each choice of optimisers (figure 3)."""
    found = [TrialPanel("All trials", trials, list(dict.fromkeys(trial.family for trial in trials)))]
    for most in SHALLOWER:
        some = [trial for trial in trials if all(trial.fields.get(path, 0) <= most for path in DEPTHS)]
        if 0 < len(some) < len(found[-1].trials):
            found.append(TrialPanel(f"At most {most} weight layers in either net", some))
    return found + _by_optimisers(trials)


def _by_optimisers(trials: Sequence[TrialRecord]) -> list[TrialPanel]:
    """Families whose optimisers differ, one choice a panel, beside all trials of the others."""
    choices: dict[str, dict[tuple[Any, ...], list[TrialRecord]]] = {}
    for trial in trials:
        choice = tuple(trial.fields.get(path) for path in OPTIMISERS)
        choices.setdefault(trial.family, {}).setdefault(choice, []).append(trial)
    others = [trial for trial in trials if len(choices[trial.family]) == 1]
    whole = list(dict.fromkeys(trial.family for trial in others))
    return [
        TrialPanel(f"{family}: D {choice[0]}, G {choice[1]}, lr {choice[2]:g}", others + some, whole)
        for family, found in choices.items()
        if len(found) > 1
        for choice, some in sorted(found.items(), key=lambda item: (-item[0][2], *item[0][:2]))
    ]


FIGURES = Published(
    heights={
        "EBGAN": (
            *(9.0, 20.7, 32.6, 4.9, 2.1, 1.0, 0.3, 1.5, 1.0, 1.3, 2.0, 1.3, 1.7),
            *(1.0, 0.6, 1.3, 2.1, 1.1, 0.3, 2.0, 2.1, 3.1, 2.7, 2.3, 1.5),
        ),
        "GAN": (55.6, 29.0, 6.7, 2.1, 0.8, 0.7, 0.6, 0.7, 0.6, 0.7, 0.3, 0.3, 0.3, *[0.0] * 12),
    },
    trials={"EBGAN": 512, "GAN": 6144},  # section 4.1
    width=1.92 / 25,
    most=math.log(10),
    failed=0.23,
    good=(0.5, 1.0, 1.5),
    panels=panels,
)
BOUNDS = replace(FIGURES, heights={}, trials={}, panels=lambda trials: [TrialPanel("All trials", trials)])
