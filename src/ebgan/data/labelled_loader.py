"""Batches of the few labelled images beside those of all images."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ebgan.data.loader import Loader, picked, scaled, stretch
from ebgan.data.packed import Packed
from ebgan.errors import UsageError
from ebgan.randomness import Randomness
from ebgan.records import Batch


class LabelledLoader:
    """Serves a loader's batches, each with a batch of labelled images of its own."""

    def __init__(
        self,
        loader: Loader,
        indices: Tensor | Sequence[Tensor],
        *,
        batch: int,
        randomness: Randomness,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        """`indices` [*models, count] are those of the labelled images in the loader's set, or one tensor [count] for
        each model of a stack, which may differ in their counts. `batch` counts the images of all ranks; more than there
        are is each of them several times.
        """
        refuse_undivided(batch, ranks)
        data = loader.data
        assert isinstance(data, Packed)
        assert data.labels is not None
        each = [indices] if isinstance(indices, Tensor) else indices
        flat = torch.cat([some.flatten() for some in each]).cpu().numpy()
        device = each[0].device
        self._loader, self._batch = loader, batch
        self._images = torch.tensor(data.images[flat], device=device)
        self._labels = torch.tensor(data.labels[flat], device=device)
        rows = torch.split(torch.arange(len(flat), device=device), [some.numel() for some in each])
        if isinstance(indices, Tensor):
            self._sets = [_Set(rows[0].reshape(indices.shape), randomness)]
        else:
            self._sets, self._back = _of_each_size(rows, randomness)
        self._share = slice(rank * batch // ranks, (rank + 1) * batch // ranks)

    def batches(self, first: int) -> Iterator[Batch]:
        """Batches without end, from the one that begins after `first` images, not counting labelled ones."""
        before = first // self._loader.batch * self._batch
        for batch, begin in zip(self._loader.batches(first), itertools.count(before, self._batch), strict=False):
            rows = self._rows(begin)[..., self._share]
            images = scaled(picked(self._images, rows), self._loader.limits)
            yield batch._replace(labelled=Batch(images, self._labels[rows]))

    def _rows(self, begin: int) -> Tensor:
        """Which labelled images the batch from `begin` on holds: [*models, batch]."""
        parts = [each.stretch(begin, self._batch) for each in self._sets]
        return parts[0] if len(parts) == 1 else torch.cat(parts)[self._back]


@dataclass
class _Set:
    """The labelled images of models that have as many of them."""

    rows: Tensor  # [*models, count]
    randomness: Randomness  # of these models
    _known: tuple[int, Tensor] | None = None  # the epoch asked for last, and its order

    def stretch(self, begin: int, batch: int) -> Tensor:
        """The rows [*models, batch] from place `begin` on, each epoch in an order of its own."""
        return self.rows.gather(-1, stretch(begin, self.rows.shape[-1], batch, self._order))

    def _order(self, epoch: int) -> Tensor:
        if self._known is None or self._known[0] != epoch:
            self._known = epoch, self.randomness.permutation("labelled", self.rows.shape[-1], epoch)
        return self._known[1]


def _of_each_size(rows: Sequence[Tensor], randomness: Randomness) -> tuple[list[_Set], Tensor]:
    """Models with as many rows together, and where each model then stands among all."""
    members: dict[int, list[int]] = {}
    for model, own in enumerate(rows):
        members.setdefault(len(own), []).append(model)
    sets = [
        _Set(torch.stack([rows[model] for model in models]), Randomness(randomness.seeds[models]))
        for models in members.values()
    ]
    order = torch.tensor([model for models in members.values() for model in models], device=rows[0].device)
    return sets, order.argsort()


def refuse_undivided(batch: int, ranks: int) -> None:
    """Raise UsageError for a batch of labelled images that ranks cannot share."""
    if batch < 1 or batch % ranks:
        raise UsageError(f"labelled.batch={batch}: cannot be divided among {ranks} ranks: choose a multiple of {ranks}")
