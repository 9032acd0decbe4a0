"""Optimisers of several kinds along one model axis: some models of a stack use Adam, others SGD.

Models of one kind are adjacent, so that each kind updates one slice of every weight and has state for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.schedules import Schedule
from ebgan.training.optim import OptimiserSpec, Slots


@final
@dataclass(frozen=True, kw_only=True)
class Mixed(OptimiserSpec):
    """The optimiser of a stack whose experiments use different kinds of optimiser; it is never in a config."""

    lr: Any  # [models]
    decay: Schedule | None  # the same for all models
    weight_decay: Any  # [models]; 0 where no model has one
    clip: Any  # [models], infinite for a model without one; None where no model has one
    kinds: tuple[OptimiserSpec, ...]  # one for each slice of models
    lengths: tuple[int, ...]  # the number of models in each slice

    @classmethod
    def of(
        cls, specs: Sequence[OptimiserSpec], merge: Callable[[Sequence[OptimiserSpec]], OptimiserSpec], name: str = ""
    ) -> Mixed:
        """Merge adjacent optimisers of one kind into one spec.

        Raises UsageError, which begins with `name`, if the schedules of the learning rates differ.
        """
        decay = specs[0].decay
        if any(spec.decay != decay for spec in specs):
            raise UsageError(f"{name}.decay differs: it must be the same if optimisers of several kinds form a stack")
        decays = [spec.weight_decay for spec in specs]
        clips = [torch.inf if spec.clip is None else spec.clip for spec in specs]
        stretches = [list(same) for _, same in itertools.groupby(specs, key=type)]
        return cls(
            lr=torch.tensor([spec.lr for spec in specs]),
            decay=decay,
            weight_decay=torch.tensor(decays) if any(decays) else 0.0,
            clip=torch.tensor(clips) if min(clips) < torch.inf else None,
            kinds=tuple(map(merge, stretches)),
            lengths=tuple(map(len, stretches)),
        )

    def slots(self, weights: Sequence[Tensor], models: tuple[int, ...]) -> Slots:  # noqa: ARG002
        found: Slots = {}
        for index, (kind, where) in enumerate(self._stretches()):
            slots = kind.slots([weight[where] for weight in weights], (self.lengths[index],))
            found |= {f"{index}.{name}": values for name, values in slots.items()}
        return found

    def move(self, weights: list[Tensor], gradients: list[Tensor], slots: Slots, lr: Tensor, finite: Tensor) -> None:
        for index, (kind, where) in enumerate(self._stretches()):
            own = {name.removeprefix(f"{index}."): kept for name, kept in slots.items() if name.startswith(f"{index}.")}
            here, down = ([each[where] for each in tensors] for tensors in (weights, gradients))
            kind.move(here, down, own, lr[where], finite[where])

    def _stretches(self) -> Iterator[tuple[OptimiserSpec, slice]]:
        """Each kind, and the slice of models that it updates."""
        ends = itertools.accumulate(self.lengths)
        where = (slice(end - length, end) for end, length in zip(ends, self.lengths, strict=True))
        return zip(self.kinds, where, strict=True)
