"""Group trials that can be trained together as a stack, along the model axis.

Trials of a stack may differ in float fields (learning rates, margins, weights, dropout rates), in the seed, in the
number of labelled images and in the kind of optimiser. Any other difference, such as depth or width, changes shapes of
tensors or the order of steps.
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
    """Groups of trials that can share a stack, ordered within a group by the kind of optimiser."""
    found: dict[Hashable, list[Trial]] = {}
    known: dict[int, Hashable] = {}
    for trial in trials:
        found.setdefault(shape(trial.experiment, known), []).append(trial)
    return [sorted(members, key=_kinds) for members in found.values()]


def shape(value: Any, known: dict[int, Hashable] | None = None, name: str = "") -> Hashable:
    """A hashable value that is equal for trials that can share a stack.

    It leaves out floats, seeds, numbers of labelled images and kinds of optimisers. `known` caches dataclasses by
    identity, because the trials of a grid share most of their parts.
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
