"""The VGAN paper's equations 4 and 5 measured, and its reason for a bounded energy (Zhai et al., 2016).

The bound on the partition function is measured on a discrete space (`partition`). Then nets are trained on the digits
with an unbounded energy, the negative score of a critic, or a bounded one, the entropy of K experts in [0, K ln 2].

If the generator is fixed, samples differ from the data, and E(x) - E(G(z)) has no minimum for an unbounded energy. With
a generator that takes one turn per five of the discriminator's, the same loss is compared with VGAN's, in which the
batches' entropies limit both energies.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ebgan.energies import Energy, ExpertsEnergy, ScalarEnergy
from ebgan.experiment import Experiment, Nets, Optimisers
from ebgan.experiment.starting import start
from ebgan.nets.base import DiscriminatorSpec
from ebgan.nets.mlp import MLPDiscriminator, MLPExperts
from ebgan.objectives import VGAN, LossSensitiveGAN, Objective
from ebgan.recipes.index import Scale, find
from ebgan.report import Panel, panels
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.theory.partition import DiscreteEnergy, affine, inner_loop, tight
from ebgan.schedules import Constant
from ebgan.training.game import Turns
from ebgan.training.optim import SGD, Adam

STEPS: dict[Scale, int] = {"tiny": 20, "cpu": 600}  # of each run with nets
MOMENTS = 20  # moments of a run at which its energies are recorded
EXPERTS = 100
CEILING = EXPERTS * math.log(2)
_MEANS = ("energy_real", "energy_fake")
DIFFERENCE = LossSensitiveGAN(
    slope=1.0, real_weight=0.0
)  # E(x) - E(G(z)), and a distance that no player's gradient sees


class EnergyCurve(NamedTuple):
    """The mean energies during a run, at evenly spaced moments."""

    images: Tensor  # [moments] seen
    real: Tensor  # [moments]
    fake: Tensor  # [moments]

    @property
    def size(self) -> Tensor:
        """The largest absolute mean energy so far [moments]."""
        return torch.maximum(self.real.abs(), self.fake.abs()).cummax(-1).values


STILL = SGD(lr=1.0, decay=Constant(value=0.0))  # for a player whose weights stay fixed


def _setting(net: DiscriminatorSpec, energy: Energy, objective: Objective[Any], generator: bool) -> Experiment:
    """The generator of `digits` with another discriminator: fixed, or one turn per five of the discriminator's."""
    made = find("digits").make()
    return replace(
        made,
        nets=Nets(generator=made.nets.generator, discriminator=net),
        energy=energy,
        objective=objective,
        optimisers=Optimisers(discriminator=Adam(lr=1e-3), generator=Adam(lr=1e-3) if generator else STILL),
        turns=Turns(discriminator=5) if generator else Turns(),
    )


CRITIC = MLPDiscriminator(width=256, batch_norm=False, std=0.04), ScalarEnergy()
EXPERT = MLPExperts(width=256, experts=EXPERTS), ExpertsEnergy()
RUNS = {
    "a critic, generator fixed": _setting(*CRITIC, DIFFERENCE, generator=False),
    "experts, generator fixed": _setting(*EXPERT, DIFFERENCE, generator=False),
    "a critic": _setting(*CRITIC, DIFFERENCE, generator=True),
    "experts, VGAN": _setting(*EXPERT, VGAN(), generator=True),
}


def reproduce(asked: Request) -> Findings:
    """The bound of the partition function on a table; energies with and without a bound in short runs."""
    table, courses = DiscreteEnergy.of(0), {}
    for title, each in RUNS.items():
        asked.note(f"training {title}")
        courses[title] = run(each, STEPS[asked.scale])
    claims = [*tight(table), inner_loop(table), affine(table), *boundedness(courses)]
    return Findings(claims, {"variational": panels(curves(courses))})


def run(experiment: Experiment, steps: int) -> EnergyCurve:
    """Train for `steps` steps, and record the mean energies of batches at evenly spaced moments."""
    course = start(experiment, experiment.data.open())
    kept = []
    for _, seen, outcome in course.steps(steps * course.turns[0] * course.batch):
        if course.step % (steps // MOMENTS) == 0:
            kept.append(torch.tensor([seen, *(outcome.values[name] for name in _MEANS)], dtype=torch.float64))
    return EnergyCurve(*torch.stack(kept, -1))


def boundedness(courses: dict[str, EnergyCurve]) -> list[Claim]:
    """Claims: unbounded energies grow to the end, bounded ones stay below their bound."""
    return [_bounded(title, each) if "experts" in title else _unbounded(title, each) for title, each in courses.items()]


def curves(courses: dict[str, EnergyCurve]) -> list[Panel]:
    """Curves of both mean energies in each run: data blue, samples orange."""
    return [
        Panel(
            f"{title}: energy of data blue, samples orange",
            course.images.numpy(),
            torch.stack((course.real, course.fake)).numpy(),
            "images seen",
        )
        for title, course in courses.items()
    ]


def _unbounded(title: str, course: EnergyCurve) -> Claim:
    middle, end = float(course.size[MOMENTS // 2 - 1]), float(course.size[-1])
    measured = f"{end:.1f}, {middle:.1f} by midway"
    grows = end > max(CEILING, middle)
    claim = f"{title}: largest mean energy"  # one run can show that there is no bound, but not that there is one
    return Claim(claim, f"above {CEILING:.2f}, and growing", measured, grows or None, "n = 1 run")


def _bounded(title: str, course: EnergyCurve) -> Claim:
    largest, real, fake = float(course.size[-1]), float(course.real[-1]), float(course.fake[-1])
    measured = f"{largest:.2f}; E(x) {real:.2f}, E(G(z)) {fake:.2f} at the end"
    expected = f"at most {EXPERTS} ln 2 = {CEILING:.2f}"
    return Claim(f"{title}: largest mean energy", expected, measured, largest <= CEILING)
