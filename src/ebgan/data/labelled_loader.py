"""Semi-supervised batches: a batch of all images, with a batch of the few labelled ones added."""

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
    """Serves a loader's batches, each with a batch of labelled images in `Batch.labelled`."""

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
        """`indices` [*models, count] are the labelled images' indices in the loader's set; or a list with one tensor
        [count] for each model of a stack, of different counts. `batch` is the number of labelled images in a batch of
        all ranks; it may exceed the count, and then images repeat. Raises UsageError if the ranks cannot share it.
        """
        refuse_undivided(batch, ranks)
        data = loader.data
        assert isinstance(data, Packed)
        assert data.labels is not None
        each = [indices] if isinstance(indices, Tensor) else indices
        flat = torch.cat([own.flatten() for own in each]).cpu().numpy()
        device = each[0].device
        self._loader, self._batch = loader, batch
        self._images = torch.tensor(data.images[flat], device=device)
        self._labels = torch.tensor(data.labels[flat], device=device)
        rows = torch.split(torch.arange(len(flat), device=device), [own.numel() for own in each])
        if isinstance(indices, Tensor):
            self._sets = [_Set(rows[0].reshape(indices.shape), randomness)]
        else:
            self._sets, self._back = _of_each_size(rows, randomness)
        self._share = slice(rank * batch // ranks, (rank + 1) * batch // ranks)

    def batches(self, first: int) -> Iterator[Batch]:
        """Yield batches for ever, starting after `first` images (labelled ones are not counted)."""
        before = first // self._loader.batch * self._batch
        for batch, begin in zip(self._loader.batches(first), itertools.count(before, self._batch), strict=False):
            rows = self._rows(begin)[..., self._share]
            images = scaled(picked(self._images, rows), self._loader.limits)
            yield batch._replace(labelled=Batch(images, self._labels[rows]))

    def _rows(self, begin: int) -> Tensor:
        """The rows [*models, batch] of the batch that begins after `begin` labelled images."""
        parts = [each.stretch(begin, self._batch) for each in self._sets]
        return parts[0] if len(parts) == 1 else torch.cat(parts)[self._back]


@dataclass
class _Set:
    """The labelled images of those models of a stack that have the same number of them."""

    rows: Tensor  # [*models, count]
    randomness: Randomness  # of these models
    _known: tuple[int, Tensor] | None = None  # the last epoch and its order

    def stretch(self, begin: int, batch: int) -> Tensor:
        """The rows [*models, batch] after the first `begin` ones; each epoch has its own order."""
        return self.rows.gather(-1, stretch(begin, self.rows.shape[-1], batch, self._order))

    def _order(self, epoch: int) -> Tensor:
        if self._known is None or self._known[0] != epoch:
            self._known = epoch, self.randomness.permutation("labelled", self.rows.shape[-1], epoch)
        return self._known[1]


def _of_each_size(rows: Sequence[Tensor], randomness: Randomness) -> tuple[list[_Set], Tensor]:
    """Group models by their number of rows; the second result restores the models' order after concatenation."""
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
