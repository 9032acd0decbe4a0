"""Make any number field of an objective a function of the images seen, such as EBGAN's decaying margin (appendix E)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.numbers import Number
from ebgan.objectives.base import Asks, Objective
from ebgan.objectives.wrapper import Wrapper
from ebgan.records import Means
from ebgan.schedules import Schedule
from ebgan.tree_walk import alternatives, field_types, rebuilt


class ScheduledState(NamedTuple):
    """The inner objective's state, and the clock."""

    images: Tensor  # [] int64, images seen
    inner: tuple[Any, ...]


@final
@dataclass(frozen=True, init=False)
class Scheduled(Wrapper[ScheduledState]):
    """`Scheduled(EBGAN(margin=10.0), margin=Linear(start=10.0, end=0.0, finish=600_000))`.

    Raises UsageError for a field that the inner objective does not have.
    """

    inner: Objective[Any]
    schedules: dict[str, Schedule]

    def __init__(self, inner: Objective[Any], schedules: dict[str, Schedule] | None = None, **named: Schedule) -> None:
        schedules = (schedules or {}) | named
        known = {name for name, kind in field_types(type(inner)).items() if float in alternatives(kind)}
        for name in schedules.keys() - known:
            fields_known = ", ".join(sorted(known))
            raise UsageError(
                f"Scheduled: {type(inner).__name__} has no field {name!r} that is a number; it has {fields_known}"
            )
        for name, schedule in schedules.items():
            for value in schedule.values_met:
                replace(inner, **{name: value})  # type: ignore[type-var]  # refuses a value that the field cannot have
        object.__setattr__(self, "inner", inner)
        object.__setattr__(self, "schedules", schedules)

    def init(self, models: tuple[int, ...] = (), device: torch.device | str | None = None) -> ScheduledState:
        return ScheduledState(torch.zeros((), dtype=torch.int64, device=device), self.inner.init(models, device))

    def within(self, state: ScheduledState) -> Any:
        return state.inner

    def around(self, state: ScheduledState, moved: Any) -> ScheduledState:
        return state._replace(inner=moved)

    def update(self, state: ScheduledState, means: Means) -> ScheduledState:
        return super().update(state, means)._replace(images=means.images)

    def skip_generator(self, state: ScheduledState, images: Tensor) -> ScheduledState:
        return super().skip_generator(state, images)._replace(images=images)

    @property
    def in_use(self) -> Objective[Any]:
        """The inner objective with a number in each scheduled field, so that none of them is None."""
        return self._with(dict.fromkeys(self.schedules, 1.0))

    @property
    def asks(self) -> Asks:
        """The requirements of the inner objective; samples may leave a scheduled margin, so that is no alarm."""
        asked = super().asks
        return asked._replace(alarms=asked.alarms - {"dead hinge"}) if "margin" in self.schedules else asked

    def now(self, state: ScheduledState) -> Objective[Any]:
        """The inner objective with each scheduled field at its current value."""
        return self._with({name: schedule.at(state.images) for name, schedule in self.schedules.items()})

    def _with(self, values: Mapping[str, Number]) -> Objective[Any]:
        """A copy of the inner objective with these field values, which may be tensors []."""
        return rebuilt(self.inner, values)
