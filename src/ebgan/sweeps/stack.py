"""Which trials can be trained together along the model axis: they may differ in floats, in little else.

Trials that differ only in float fields (learning rates, margins, weights, dropout rates), in their seed, in how many
labelled images they have and in the kind of their optimisers make one stack. Every other difference, a depth or a width
for one, is another shape of tensors or another order of steps.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import fields, is_dataclass
from typing import Any

from ebgan.experiment import Labelled
from ebgan.experiment.grid import Trial
from ebgan.training.game import Turns
from ebgan.training.optim import OptimiserSpec


def groups(trials: Iterable[Trial]) -> list[list[Trial]]:
    """Trials that can share a stack together, those whose optimisers are of one kind side by side."""
    found: dict[Hashable, list[Trial]] = {}
    known: dict[int, Hashable] = {}
    for trial in trials:
        found.setdefault(shape(trial.experiment, known), []).append(trial)
    return [sorted(members, key=_kinds) for members in found.values()]


def shape(value: Any, known: dict[int, Hashable] | None = None, name: str = "") -> Hashable:
    """What must be equal in a stack: all but floats, the seed, the number of labelled images and kinds of optimiser.

    `known` keeps the shapes of dataclasses by their identity: those of a grid share most of their parts.
    """
    if is_dataclass(value):
        if known is None:
            return _shape(value, None)
        if id(value) not in known:
            known[id(value)] = _shape(value, known)
        return known[id(value)]
    if isinstance(value, float) or name == "seed":
        return name
    return repr(value)


def _shape(value: Any, known: dict[int, Hashable] | None) -> Hashable:
    if isinstance(value, Labelled):
        return value.count is None, value.batch
    if isinstance(value, OptimiserSpec):
        return repr(value.decay), value.clip is None
    if isinstance(value, Turns):  # a schedule of turns is the step's own, not a model's
        return repr(value)
    return type(value).__name__, *(
        (each.name, shape(getattr(value, each.name), known, each.name)) for each in fields(value)
    )


def _kinds(trial: Trial) -> tuple[str, str]:
    both = trial.experiment.optimisers
    return type(both.discriminator).__name__, type(both.generator).__name__
