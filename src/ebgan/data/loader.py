"""Batches of real images in an order that depends only on the seed, not on ranks, workers or where a run resumes.

The order is permutation(0), permutation(1), ... of the set, one epoch after the other. A batch is a stretch of that
sequence, and may span two epochs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ebgan.data.augmented import Augmented
from ebgan.data.dataset import Dataset
from ebgan.data.host import Rows, from_host
from ebgan.data.packed import Packed
from ebgan.data.points import Points
from ebgan.errors import UsageError
from ebgan.randomness import Randomness
from ebgan.records import Batch

RESIDENT_BYTES = 1 << 30  # sets smaller than this are kept on the device,
RESIDENT_SHARE = 4  # and on a GPU also those smaller than a quarter of its free memory


def scaled(images: Tensor, limits: tuple[float, float] | None) -> Tensor:
    """uint8 images as float32, with 0 mapped to the lower limit and 255 to the upper; points (no limits) as float32."""
    if limits is None:
        return images.to(torch.float32)
    low, high = limits
    return images.to(torch.float32).div_(255).mul_(high - low).add_(low)


def stretch(first: int, length: int, batch: int, order: Callable[[int], Tensor]) -> Tensor:
    """The indices [*models, batch] after the first `first` ones of all epochs; `order(epoch)` is [*models, length]."""
    epoch, skipped = divmod(first, length)
    ahead = order(epoch)[..., skipped:]
    while ahead.shape[-1] < batch:
        epoch += 1
        ahead = torch.cat((ahead, order(epoch)), -1)
    return ahead[..., :batch]


class Loader:
    """Serves a set of images or points to one rank."""

    def __init__(
        self,
        data: Dataset,
        *,
        batch: int,
        randomness: Randomness,
        limits: tuple[float, float] | None = (-1.0, 1.0),
        purpose: str = "data",
        rank: int = 0,
        ranks: int = 1,
        workers: int = 0,
        resident: bool | None = None,
    ) -> None:
        """`batch` counts the images of all ranks. Black becomes the lower of the limits and white the upper; points
        have no limits, and are served unscaled.

        A resident set is kept on the device of `randomness`; otherwise images are gathered on the host by `workers`
        processes, each with its own map of the packed file (or copy of a set in memory). By default small sets are
        resident. Either way images are augmented on the device. Raises UsageError for a batch that the ranks cannot
        share, limits that do not suit the data, and a stack of models whose set is not resident.
        """
        refuse_unfit(data, batch=batch, limits=limits, ranks=ranks)
        self._kept = data.whole if isinstance(data, Augmented) else data
        self.resident = is_small(data, randomness.seeds.device) if resident is None else resident
        if randomness.seeds.ndim and not self.resident:
            raise UsageError("a stack of models needs the set on the device: use a smaller one, or resident=True")
        self.data = data
        self.batch = batch
        self.limits = limits
        self.purpose = purpose
        self.workers = workers
        self.device = randomness.seeds.device
        self._models = randomness.seeds.shape
        self._augmentation = randomness.once
        self._randomness = randomness.once if self.resident else Randomness(randomness.seeds.cpu())
        self._share = slice(rank * batch // ranks, (rank + 1) * batch // ranks)
        self._rows = self._on_device() if self.resident else None
        self._orders: dict[str, tuple[int, Tensor]] = {}  # purpose -> the last epoch and its order

    def batches(self, first: int) -> Iterator[Batch]:
        """Yield batches for ever, starting after `first` images, counted over all ranks.

        Images are float32 [*models, batch / ranks, C, H, W] within the limits, labels int64 [*models, batch / ranks].
        Raises LoaderLostError if a worker process dies or hangs.
        """
        indices = (self._indices(begin, self.purpose) for begin in itertools.count(first, self.batch))
        for begin, rows in zip(itertools.count(first, self.batch), self._gathered(indices), strict=False):
            yield self._served(rows, begin, self.purpose)

    def at(self, first: int, purpose: str) -> Batch:
        """The batch after `first` images in the order that belongs to another purpose.

        It depends only on the arguments and the seed, so samplers that start from images of the data need no state,
        and `batches` is not affected.
        """
        return self._served(self._rows_at(self._indices(first, purpose)), first, purpose)

    def _served(self, rows: Rows, first: int, purpose: str) -> Batch:
        """The batch after `first` images, from stored rows: moved to the device, augmented and scaled."""
        images, labels = _moved(rows[0], self.device), rows[1]
        if isinstance(self.data, Augmented):
            first += self._share.start
            images = self.data.augmented(images, self._augmentation, f"{purpose} augmented", first)
        served = scaled(images, self.limits)
        return Batch(
            served.expand(*self._models, *served.shape[-4:]),
            None if labels is None else _moved(labels, self.device).expand(*self._models, -1),
        )

    def _indices(self, first: int, purpose: str) -> Tensor:
        """The indices [*models, batch / ranks] of this rank's batch after `first` images."""
        order = partial(self._order, purpose=purpose)
        return stretch(first, len(self.data), self.batch, order)[..., self._share]

    def _order(self, epoch: int, purpose: str) -> Tensor:
        """The order of an epoch; the last one of each purpose is cached."""
        known, order = self._orders.get(purpose, (-1, None))
        if order is None or known != epoch:
            order = self._randomness.permutation(purpose, len(self.data), epoch)
            self._orders[purpose] = epoch, order
        return order

    def _gathered(self, indices: Iterator[Tensor]) -> Iterator[Rows]:
        if self._rows is None:
            assert isinstance(self._kept, Packed)
            return from_host(self._kept, indices, self._share.stop - self._share.start, self.workers)
        return map(self._rows_at, indices)

    def _rows_at(self, indices: Tensor) -> Rows:
        if self._rows is None:
            labels = self._kept.labels
            images = torch.from_numpy(np.take(self._kept.images, indices.numpy(), 0))
            return images, None if labels is None else torch.from_numpy(labels[indices.numpy()])
        images, named = self._rows
        return picked(images, indices), None if named is None else named[indices]

    def _on_device(self) -> Rows:
        labels = self._kept.labels
        images = torch.tensor(self._kept.images, device=self.device)
        return images, None if labels is None else torch.tensor(labels, device=self.device)


def refuse_unfit(data: Dataset, *, batch: int, limits: tuple[float, float] | None, ranks: int) -> None:
    """Raise UsageError for a batch that the ranks cannot share, and for limits that do not suit the data."""
    if batch < 1 or batch % ranks:
        raise UsageError(f"a batch of {batch} cannot be divided among {ranks} ranks: choose a multiple of {ranks}")
    if isinstance(data, Points) and limits is not None:
        raise UsageError(f"data.limits={limits}: {data.name} are points, which are not scaled: give --data.limits None")
    if not isinstance(data, Points) and limits is None:
        raise UsageError(
            f"data.limits=null: {data.name} are images, scaled to [-1, 1] or [0, 1]: give --data.limits -1 1"
        )


def is_small(data: Dataset, device: torch.device) -> bool:
    """Whether a set is kept on the device by default."""
    kept = data.whole if isinstance(data, Augmented) else data
    here = device.type == "cuda" and torch.cuda.is_available()  # not when planning for another machine's GPU
    free = torch.cuda.mem_get_info(device)[0] if here else 0
    return isinstance(kept, Points) or kept.images.size < max(RESIDENT_BYTES, free // RESIDENT_SHARE)


def _moved(rows: Tensor, device: torch.device) -> Tensor:
    """Rows on the device; copied to a GPU from pinned memory, which does not wait for the work in its queue."""
    if rows.device.type == "cpu" and device.type == "cuda":
        return rows.pin_memory().to(device, non_blocking=True)
    return rows.to(device)


def picked(images: Tensor, indices: Tensor) -> Tensor:
    """images[indices], by `index_select`, which is several times as fast."""
    return images.index_select(0, indices.flatten()).reshape(*indices.shape, *images.shape[1:])
