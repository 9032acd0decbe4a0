"""Any field of an objective as a function of the images seen: EBGAN's decaying margin (appendix E), for one."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.objectives.base import Objective
from ebgan.objectives.wrapper import Wrapper
from ebgan.records import Batch, Losses, Means, Reading, Sample
from ebgan.schedules import Schedule


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
        known = {each.name for each in fields(inner) if "float" in str(each.type)}  # type: ignore[arg-type]
        for name in schedules.keys() - known:
            fields_known = ", ".join(sorted(known))
            raise UsageError(
                f"Scheduled: {type(inner).__name__} has no field {name!r} that is a number; it has {fields_known}"
            )
        object.__setattr__(self, "inner", inner)
        object.__setattr__(self, "schedules", schedules)

    def init(self, models: tuple[int, ...] = (), device: torch.device | str | None = None) -> ScheduledState:
        return ScheduledState(torch.zeros((), dtype=torch.int64, device=device), self.inner.init(models, device))

    def begin(self, state: ScheduledState, energies: Tensor) -> ScheduledState:
        return state._replace(inner=self._now(state).begin(state.inner, energies))

    def discriminator(self, state: ScheduledState, real: Reading, fake: Reading, batch: Batch) -> Losses:
        return self._now(state).discriminator(state.inner, real, fake, batch)

    def penalty(self, state: ScheduledState, slopes: Tensor) -> Losses:
        return self._now(state).penalty(state.inner, slopes)

    def classification(self, state: ScheduledState, logits: Tensor, labels: Tensor) -> Losses:
        return self._now(state).classification(state.inner, logits, labels)

    def alone(self, state: ScheduledState, real: Reading, batch: Batch) -> Losses:
        return self._now(state).alone(state.inner, real, batch)

    def generator(self, state: ScheduledState, fake: Reading, sample: Sample) -> Losses:
        return self._now(state).generator(state.inner, fake, sample)

    def update(self, state: ScheduledState, means: Means) -> ScheduledState:
        return ScheduledState(means.images, self._now(state).update(state.inner, means))

    def idle(self, state: ScheduledState, images: Tensor) -> ScheduledState:
        return ScheduledState(images, self._now(state).idle(state.inner, images))

    def watch(self, state: ScheduledState, fake: Reading, means: Means) -> dict[str, Tensor]:
        return self._now(state).watch(state.inner, fake, means)

    @property
    def in_use(self) -> Objective[Any]:
        """The inner objective with a number in each scheduled field, so that none of them is None."""
        return self._with(dict.fromkeys(self.schedules, 1.0))

    def _now(self, state: ScheduledState) -> Objective[Any]:
        """The inner objective with each scheduled field at its value of this moment."""
        return self._with({name: schedule.at(state.images) for name, schedule in self.schedules.items()})

    def _with(self, values: Mapping[str, float | Tensor]) -> Objective[Any]:
        """A copy of the inner objective whose fields hold values, which may be tensors []."""
        changed = copy(self.inner)
        for name, value in values.items():
            object.__setattr__(changed, name, value)
        return changed
