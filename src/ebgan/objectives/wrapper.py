"""The base of objectives that wrap another one: every call is passed on to the inner objective."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

from ebgan.objectives.base import Asks, Objective, Place, State
from ebgan.records import Batch, Losses, Means, Reading, Sample


class Wrapper(Objective[State]):
    """An objective that wraps another: subclasses override what they change; all else calls the inner objective."""

    inner: Objective[Any]

    @property
    def in_use(self) -> Objective[Any]:
        """The inner objective with values in all fields that the wrapper sets."""
        return self.inner

    @property
    def asks(self) -> Asks:
        """The requirements of the inner objective."""
        asked = self.in_use.asks
        return asked._replace(from_data={f"inner.{path}": rule for path, rule in asked.from_data.items()})

    def now(self, state: State) -> Objective[Any]:
        """The inner objective with the field values of the current step."""
        return self.inner

    def within(self, state: State) -> Any:
        """The inner objective's part of the state; by default all of it."""
        return state

    def around(self, state: State, moved: Any) -> State:
        """The state with the inner objective's part replaced by `moved`; by default that part is all of it."""
        return cast("State", moved)

    def init(self, models: tuple[int, ...] = (), device: torch.device | str | None = None) -> State:
        return cast("State", self.inner.init(models, device))

    def discriminator(self, state: State, real: Reading, fake: Reading, batch: Batch) -> Losses:
        return self.now(state).discriminator(self.within(state), real, fake, batch)

    def generator(self, state: State, fake: Reading, sample: Sample) -> Losses:
        return self.now(state).generator(self.within(state), fake, sample)

    def penalty(self, state: State, place: Place, slopes: Tensor) -> Losses:
        return self.now(state).penalty(self.within(state), place, slopes)

    def shown(self, state: State, images: Tensor, numbers: Tensor) -> Tensor:
        return self.now(state).shown(self.within(state), images, numbers)

    def data_loss(self, state: State, real: Reading, batch: Batch) -> Losses:
        return self.now(state).data_loss(self.within(state), real, batch)

    def classification(self, state: State, logits: Tensor, labels: Tensor) -> Losses:
        return self.now(state).classification(self.within(state), logits, labels)

    def misnamed(self, state: State, real: Reading, wrong: Reading, batch: Batch) -> Losses:
        return self.now(state).misnamed(self.within(state), real, wrong, batch)

    def update(self, state: State, means: Means) -> State:
        return self.around(state, self.now(state).update(self.within(state), means))

    def skip_generator(self, state: State, images: Tensor) -> State:
        return self.around(state, self.now(state).skip_generator(self.within(state), images))

    def after_pretraining(self, state: State, energies: Tensor) -> State:
        return self.around(state, self.now(state).after_pretraining(self.within(state), energies))

    def metrics(self, state: State, fake: Reading, means: Means) -> dict[str, Tensor]:
        return self.now(state).metrics(self.within(state), fake, means)


def innermost(objective: Objective[Any]) -> Objective[Any]:
    """The objective within all wrappers."""
    while isinstance(objective, Wrapper):
        objective = objective.inner
    return objective
