"""A grid: an experiment, and several values for some of its fields. Every combination is a trial.

    Grid(base=experiment, axes={"objective.margin": (5.0, 10.0), "nets.generator.depth": (2, 3)})

An axis is the path of a field, as on the command line. If some trials lack an axis (a GAN has no margin), make a grid
for each kind and join them with `+`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, NamedTuple, final

from ebgan.errors import UsageError
from ebgan.experiment.data import Data
from ebgan.experiment.tree import Experiment
from ebgan.tree_walk import alternatives, aspect_of, changed, field_types, fits, suggestion


class Trial(NamedTuple):
    """One experiment of a grid."""

    id: str  # the hash of its config: an edited grid runs only what is new
    experiment: Experiment
    data: Data | None = None  # the data's former place, if it was moved after the trial got its id

    @classmethod
    def of(cls, experiment: Experiment, data: Data | None = None) -> Trial:
        """The trial of an experiment; `data` is its data when the sweep was started, if that was moved."""
        before = experiment if data is None else replace(experiment, data=data)
        return cls(before.hash, experiment, data)


@final
@dataclass(frozen=True, kw_only=True)
class Grid:
    """All combinations of the axes' values on an experiment, then those of the added grids.

    Raises UsageError, which names the axis, for a missing field or a value of another type.
    """

    base: Experiment
    axes: Mapping[str, tuple[Any, ...]]
    others: tuple[Grid, ...] = ()

    def __post_init__(self) -> None:
        checked = {path: _checked(self.base, path, values) for path, values in self.axes.items()}
        for one, other in itertools.permutations(checked, 2):
            if other.startswith(f"{one}."):
                raise UsageError(f"axis {other}: lies within the axis {one}; give {one} the values in full")
        object.__setattr__(self, "axes", checked)

    def __add__(self, other: Grid) -> Grid:
        return replace(self, others=(*self.others, replace(other, others=()), *other.others))

    def __len__(self) -> int:
        return math.prod(map(len, self.axes.values())) + sum(map(len, self.others))

    def with_base(self, **changes: Any) -> Grid:
        """The grid with these fields of the base changed, in all of its parts."""
        others = tuple(other.with_base(**changes) for other in self.others)
        return Grid(base=replace(self.base, **changes), axes=self.axes, others=others)

    def trials(self) -> Iterator[Trial]:
        """Each trial once, in the order of the axes, the last one changing fastest.

        Raises UsageError, which names the values, for a combination that cannot work.
        """
        unique = {made.hash: made for grid in (self, *self.others) for made in grid._combinations()}
        return itertools.starmap(Trial, unique.items())

    def _combinations(self) -> Iterator[Experiment]:
        for values in itertools.product(*self.axes.values()):
            settings = dict(zip(self.axes, values, strict=True))
            try:
                yield changed(self.base, settings)
            except UsageError as error:
                message = ", ".join(f"{path}={value}" for path, value in settings.items())
                raise UsageError(f"the trial of {message}: {error}") from error


def _checked(base: Experiment, path: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values of an axis; ints become floats for float fields."""
    *way, name = path.split(".")
    holder: Any = base
    for step in way:
        holder = getattr(_with_field(holder, step, path), step)
    kind = field_types(_with_field(holder, name, path).__class__)[name]
    if not values:
        raise UsageError(f"axis {path}: has no values")
    if aspect_of(path, Experiment) == "habit":
        raise UsageError(f"axis {path}: does not change what a trial computes: set it in the grid's base")
    for value in values:
        if not fits(value, kind):
            raise UsageError(f"axis {path}: {value!r} is not of the field's type, {_said(kind)}")
    real = float in alternatives(kind) and int not in alternatives(kind)
    exact = tuple(float(value) if real and isinstance(value, int) else value for value in values)
    for index, value in enumerate(exact):
        if value in exact[:index]:
            raise UsageError(f"axis {path}: {value!r} is given twice")
    return exact


def _with_field(holder: Any, name: str, path: str) -> Any:
    """Return `holder` if it has the field; raise UsageError otherwise."""
    known = [each.name for each in fields(holder)] if is_dataclass(holder) else []
    if name not in known:
        raise UsageError(f"axis {path}: {type(holder).__name__} has no field {name!r}; {suggestion(name, known)}")
    return holder


def _said(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("ebgan.", "")
