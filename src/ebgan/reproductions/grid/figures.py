"""Figures 2 and 3 of the EBGAN paper: the distribution of I' over the trials of the grid search.

I' is in the usual order. Claims are judged on the finished trials; each table states their number.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from PIL import Image

from ebgan.recipes.grid_figures import FIGURES
from ebgan.report import histogram_panels
from ebgan.report.shares import HALF, share_columns, shares
from ebgan.report.sweep import histogram
from ebgan.report.trials import SweepRecord, TrialPanel, families, share
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.grid.study import Study, studied
from ebgan.reproductions.verdicts import Share, at_least, rarer

PAIRS = 12  # two optimisers for each player, three learning rates
FIFTH = 0.2  # if fewer EBGANs than this share reach half the score of real digits, the runs are too short to judge


def figure2(asked: Request) -> Findings:
    """Histograms of I' over the grid's EBGANs and GANs, for all nets and for shallower ones."""
    study = studied(asked)
    panels = [panel for panel in study.record.panels if not panel.title.startswith("GAN: ")]
    return Findings(claims(study.record), {"figure2": _drawn(panels, study.record)} if panels else {}, _told(study))


def figure3(asked: Request) -> Findings:
    """Histograms of I' for each of the GANs' twelve pairs of optimisers and learning rates, beside all EBGANs."""
    study = studied(asked)
    pairs = [panel for panel in study.record.panels if panel.title.startswith("GAN: ")]
    rows = [["GANs", "trials", f"I' under {FIGURES.failed}", "mean I'", "best I'"], *map(_pair, pairs)]
    found = _failing_more(pairs, study.trials)
    return Findings(found, {"figure3": _drawn(pairs, study.record)} if pairs else {}, {"GANs by optimisers": rows})


def _failing_more(pairs: Sequence[TrialPanel], trials: str) -> list[Claim]:
    """The claim that the GANs of each pair fail more often than the EBGANs.

    It holds if all pairs clearly do, and not if one clearly does not.
    """
    found = [families(panel.trials) for panel in pairs]
    both = [(each["EBGAN"], each["GAN"]) for each in found if each.get("EBGAN") and each.get("GAN")]
    if not both:
        return []
    gaps = [rarer(_below(ebgan, FIGURES.failed), _below(gan, FIGURES.failed)) for ebgan, gan in both]
    clear = [gap.holds for gap in gaps]
    holds = False if False in clear else True if clear.count(True) == PAIRS else None
    more = sum(gap.value > 0 for gap in gaps)
    return [
        Claim(
            "Pairs of optimisers whose GANs fail more often than the EBGANs",
            f"all {PAIRS}",
            f"{more} of {len(pairs)}, {trials}",
            holds,
            f"beyond the error of the share: {clear.count(True)} do, {clear.count(False)} do not",
        )
    ]


def claims(record: SweepRecord) -> list[Claim]:
    """The paper's claims: EBGANs fail less often than GANs, and more of them reach a high I'."""
    found = families(record.trials)
    ebgan, gan = found.get("EBGAN", []), found.get("GAN", [])
    real = record.real_score
    if not ebgan or not gan or real is None:
        return []
    message = [
        _compared(ebgan, gan, FIGURES.failed, below=True),
        *(_compared(ebgan, gan, bound) for bound in FIGURES.good),
    ]
    half = HALF * real
    far = _above(ebgan, half)
    return [
        *message,
        at_least(far, FIFTH).claim(
            f"EBGANs with I' above half of real digits', {half:.2f}",
            f"at least {100 * FIFTH:.0f} %",
            f"{100 * far.value:.1f} %",
        ),
    ]


def _compared(ebgan: Sequence[float], gan: Sequence[float], bound: float, below: bool = False) -> Claim:
    """Compare the shares of EBGANs and GANs with I' above `bound`, or below it."""
    published = [FIGURES.shares(name, bound)[not below] for name in ("EBGAN", "GAN")]
    ours = [_below(scores, bound) if below else _above(scores, bound) for scores in (ebgan, gan)]
    side = "under" if below else "above"
    more = "fewer" if below else "more"
    return rarer(*(ours if below else reversed(ours))).claim(
        f"I' {side} {bound}: {more} EBGANs than GANs",
        " and ".join(f"{100 * each:.0f} %" for each in published),
        " and ".join(f"{100 * each.value:.1f} %" for each in ours),
    )


def _below(scores: Sequence[float], bound: float) -> Share:
    return Share(sum(score < bound for score in scores), len(scores))


def _above(scores: Sequence[float], bound: float) -> Share:
    return Share(sum(score > bound for score in scores), len(scores))


def _told(study: Study) -> dict[str, list[list[str]]]:
    """The table of shares, which says of how many trials it is."""
    rows = [[line.label, *line.cells] for line in shares(study.record)]
    return {f"shares, {study.trials}": [["", *share_columns(study.record)], *rows]}


def _drawn(panels: Sequence[TrialPanel], record: SweepRecord) -> Image.Image:
    return histogram_panels([histogram(panel, record) for panel in panels])


def _pair(panel: TrialPanel) -> list[str]:
    scores = families(panel.trials)["GAN"]
    if not scores:
        return [panel.title.removeprefix("GAN: "), "0", "", "", ""]
    failing = share(scores, FIGURES.failed, below=True) or 0.0
    numbers = f"{100 * failing:.1f} %", f"{statistics.fmean(scores):.3f}", f"{max(scores):.3f}"
    return [panel.title.removeprefix("GAN: "), f"{len(scores):,}", *numbers]
