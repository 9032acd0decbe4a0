"""Batches of the few labelled images beside those of all images."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

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
        self, loader: Loader, places: Tensor, *, batch: int, randomness: Randomness, rank: int = 0, ranks: int = 1
    ) -> None:
        """`places` [*models, count] are those of the labelled images in the loader's set, and `batch` counts those of
        all ranks; more than there are is each of them several times.
        """
        if batch < 1 or batch % ranks:
            raise UsageError(
                f"labelled.batch={batch}: cannot be divided among {ranks} ranks: choose a multiple of {ranks}"
            )
        data = loader.data
        assert isinstance(data, Packed)
        assert data.labels is not None
        flat = places.flatten().cpu().numpy()
        self._loader, self._batch, self._randomness = loader, batch, randomness
        self._images = torch.tensor(data.images[flat], device=places.device)
        self._labels = torch.tensor(data.labels[flat], device=places.device)
        self._rows = torch.arange(len(flat), device=places.device).reshape(places.shape)
        self._share = slice(rank * batch // ranks, (rank + 1) * batch // ranks)

    def batches(self, first: int) -> Iterator[Batch]:
        """Batches without end, from the one that begins after `first` images, not counting labelled ones."""
        before = first // self._loader.batch * self._batch
        for batch, begin in zip(self._loader.batches(first), itertools.count(before, self._batch), strict=False):
            order = stretch(begin, self._rows.shape[-1], self._batch, self._order)
            rows = self._rows.gather(-1, order[..., self._share])
            images = scaled(picked(self._images, rows), self._loader.limits)
            yield batch._replace(labelled=Batch(images, self._labels[rows]))

    def _order(self, epoch: int) -> Tensor:
        return self._randomness.permutation("labelled", self._rows.shape[-1], epoch)
