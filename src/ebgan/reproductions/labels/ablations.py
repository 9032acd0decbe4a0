"""Ablations of EBGAN-LN: the decaying margin, which the paper calls crucial, and the choices that it leaves open.

Each variant is EBGAN-LN with one change, trained with the same seeds, labels and batches. The scales: `paper` is MNIST,
100 labels, the recipe's 180,000 steps and 15 seeds. `cpu` is the 8x8 digits of scikit-learn, 50 labels, hidden layers
of 200, 100 and 50 units, 900 steps and 12 seeds, which train as one stack; the weight is over 64 pixels, and the
margin, 1.5, is about the same share of the mean image's energy, 4.7, as 16 is of MNIST's, 53. `tiny` is the same with
2 seeds, narrower nets and 30 steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import fmean, stdev
from typing import NamedTuple

from ebgan.experiment import Experiment, Labelled, Nets, Optimisers
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPGenerator
from ebgan.objectives import EBGAN, Scheduled, SemiSupervised
from ebgan.recipes.index import Scale
from ebgan.recipes.semisupervised_mnist import EBGAN_LN_STEPS, ebgan_ln_of, without_generator
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.labels.cell_runs import Errors, errors_of, said
from ebgan.reproductions.verdicts import below_in_pairs
from ebgan.schedules import Linear, Schedule, Steps
from ebgan.training.game import Turns
from ebgan.training.optim import Adam


class _Size(NamedTuple):
    steps: int
    seeds: int
    widths: tuple[int, ...] | None = None  # of the Ladder network on digits; None means the paper's on MNIST


SIZES: dict[Scale, _Size] = {
    "tiny": _Size(30, 2, (20, 10)),
    "cpu": _Size(900, 12, (200, 100, 50)),
    "paper": _Size(EBGAN_LN_STEPS, 15),
}
BASE = "EBGAN-LN"


def reproduce(asked: Request) -> Findings:
    """Test errors of EBGAN-LN with a constant margin, and with each other choice that the paper leaves open."""
    seeds = range(asked.seeds or SIZES[asked.scale].seeds)
    cells = {
        f"{title.lower().replace(' ', '-')}-{seed}": change(base(asked.scale, seed))
        for title, change in VARIANTS.items()
        for seed in seeds
    }
    found = list(errors_of(cells, asked).values())
    errors: dict[str, Errors] = {
        title: found[index * len(seeds) :][: len(seeds)] for index, title in enumerate(VARIANTS)
    }
    rows = [["variant", "test error, %", f"beyond {BASE}'s, by seed"]]
    rows += [[title, said(own), _beyond(own, errors[BASE])] for title, own in errors.items()]
    return Findings(_claims(errors), {}, {"one change at a time": rows})


def base(scale: Scale, seed: int) -> Experiment:
    """EBGAN-LN at a scale."""
    size = SIZES[scale]
    made = ebgan_ln_of(size.steps, seed=seed)
    if size.widths is None:
        return made
    return replace(
        made,
        data=replace(made.data, source="digits"),
        labelled=Labelled(count=50, batch=50),
        nets=Nets(
            generator=MLPGenerator(depth=3, width=size.widths[0] // 2, noise=20),
            discriminator=Ladder(widths=size.widths),
        ),
        objective=SemiSupervised(
            inner=Scheduled(EBGAN(margin=1.5), margin=Linear(start=1.5, end=0.0, finish=made.images // 3)),
            weight=1000 / 64,
        ),
        optimisers=Optimisers(
            discriminator=Adam(lr=2e-3, decay=made.optimisers.discriminator.decay),
            generator=Adam(lr=1e-3, decay=made.optimisers.generator.decay),
        ),
    )


def _margin_stays(made: Experiment) -> Experiment:
    """The margin is constant, and the generator is trained to the end."""
    return replace(made, objective=replace(_objective(made), inner=EBGAN(margin=_margin(made))), turns=Turns())


def _margin_in_steps(made: Experiment) -> Experiment:
    """The margin decays in four steps."""
    whole, play = _margin(made), made.images // 3
    falls = Steps(
        values=tuple(whole * left / 4 for left in (4, 3, 2, 1, 0)),
        boundaries=tuple(play * part // 5 for part in (1, 2, 3, 4)),
    )
    return _with_margin(made, whole, falls)


def _pixels_in_both_signs(made: Experiment) -> Experiment:
    """Pixels in [-1, 1] instead of [0, 1]: squared errors are four times as large, the noise relatively halved."""
    objective, whole = _objective(made), 4 * _margin(made)
    falls = Linear(start=whole, end=0.0, finish=made.images // 3)
    weighed = replace(made, objective=replace(objective, weight=objective.weight / 4))
    return _with_margin(replace(weighed, data=replace(made.data, limits=(-1.0, 1.0))), whole, falls)


def _with_margin(made: Experiment, whole: float, falls: Schedule) -> Experiment:
    inner = Scheduled(EBGAN(margin=whole), margin=falls)
    return replace(made, objective=replace(_objective(made), inner=inner))


def _of_net(**changes: object) -> Callable[[Experiment], Experiment]:
    def changed(made: Experiment) -> Experiment:
        net = made.nets.discriminator
        assert isinstance(net, Ladder)
        return replace(made, nets=replace(made.nets, discriminator=replace(net, **changes)))  # type: ignore[arg-type]

    return changed


VARIANTS: dict[str, Callable[[Experiment], Experiment]] = {
    BASE: lambda made: made,
    "without the generator": without_generator,
    "margin stays": _margin_stays,
    "margin falls in steps": _margin_in_steps,
    "weight on the data alone": lambda made: replace(made, objective=replace(_objective(made), weighs="data")),
    "statistics of labelled images": _of_net(statistics="labelled"),
    "gamma at the softmax": _of_net(top_scale=True),
    "vanilla combinator": _of_net(combinator="vanilla"),
    "real and fake in one batch": lambda made: replace(made, turns=replace(made.turns, joined=True)),
    "pixels in both signs": _pixels_in_both_signs,
}


def _objective(made: Experiment) -> SemiSupervised:
    assert isinstance(made.objective, SemiSupervised)
    return made.objective


def _margin(made: Experiment) -> float:
    inner = _objective(made).inner
    assert isinstance(inner, Scheduled)
    assert isinstance(inner.inner, EBGAN)
    assert inner.inner.margin is not None
    return inner.inner.margin


def _beyond(errors: Errors, others: Errors) -> str:
    """The mean difference to other errors with the same seeds, and its standard error; diverged seeds are left out."""
    pairs = zip(errors, others, strict=True)
    apart = [one - other for one, other in pairs if one is not None and other is not None]
    if not apart:
        return ""
    spoken = f"{fmean(apart):+.2f}"
    return spoken if len(apart) < 2 else f"{spoken} +- {stdev(apart) / math.sqrt(len(apart)):.2f}"


def _claims(errors: dict[str, Errors]) -> list[Claim]:
    pairs = zip(errors[BASE], errors["margin stays"], strict=True)
    known = [(one, other) for one, other in pairs if one is not None and other is not None]
    if not known:
        return []
    falling, staying = (list(each) for each in zip(*known, strict=True))
    measured = f"{fmean(falling):.2f} % and {fmean(staying):.2f} %"
    gap = below_in_pairs(falling, staying)
    return [gap.claim("the error is lower if the margin falls to 0", "crucial, by the paper", measured)]
