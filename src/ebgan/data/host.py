"""Batches gathered on the host by worker processes, for sets that are too large for the device."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils import data as torch_data
from torch.utils.data import DataLoader

from ebgan.data.packed import Packed
from ebgan.errors import WORKER_LOST, EbganError

TIMEOUT = 60.0  # seconds without a batch after which the workers are given up
_AHEAD = 2  # batches that each worker prepares in advance


class LoaderLostError(EbganError):
    """A process that reads images for training has ended, or gives no batch any more."""

    exit_code = WORKER_LOST


Rows = tuple[Tensor, Tensor | None]  # images as they are kept, and their labels


class _Ring(torch_data.Dataset[int]):
    """Asked for a batch, writes it into one of a few places in shared memory and returns which.

    Workers so send a few bytes, which arrive whole or not at all. Of tensors they send a handle, for which this
    process then asks them; one that is stopped at that moment keeps it waiting for ever, whatever the timeout.
    """

    def __init__(self, data: Packed, batch: int, slots: int) -> None:
        self.data = data
        self.images = torch.empty((slots, batch, *data.shape), dtype=torch.uint8)
        self.labels = torch.empty((slots, batch), dtype=torch.int64)
        self.images.share_memory_()  # type: ignore[no-untyped-call]
        self.labels.share_memory_()  # type: ignore[no-untyped-call]

    def __getitem__(self, task: tuple[int, NDArray[np.int64]]) -> int:
        slot, indices = task
        np.take(self.data.images, indices, 0, self.images[slot].numpy(), "clip")  # "raise" would copy once more
        if self.data.labels is not None:
            np.take(self.data.labels, indices, 0, self.labels[slot].numpy(), "clip")
        return slot

    def rows(self, slot: int) -> Rows:
        """The batch in a slot; the images are to be copied before the next is asked for."""
        return self.images[slot], None if self.data.labels is None else self.labels[slot].clone()


def from_host(data: Packed, indices: Iterator[Tensor], batch: int, workers: int) -> Iterator[Rows]:
    """The rows of batches of so many images at these places, gathered by so many worker processes.

    Raises LoaderLostError if one of them dies or stops.
    """
    ring = _Ring(data, batch, slots=_AHEAD * workers + 1)
    loader: DataLoader[Any] = DataLoader(
        ring,
        batch_size=None,
        sampler=((turn % len(ring.images), index.numpy()) for turn, index in enumerate(indices)),
        num_workers=workers,
        prefetch_factor=_AHEAD if workers else None,
        timeout=TIMEOUT if workers else 0,
        worker_init_fn=_ignore_interrupts,
        multiprocessing_context="spawn" if workers else None,  # a forked child may inherit a lock that is held
        generator=torch.Generator(),  # PyTorch's own generator would move otherwise
    )
    slots, started = _start(loader)
    while True:
        try:
            lost = [worker.pid for worker in started if not worker.is_alive()]
            if lost:
                raise RuntimeError(f"process {lost} ended")
            slot = next(slots)
        except RuntimeError as error:
            for worker in started:  # one that is stopped does not heed a request to end, and would block our exit
                worker.kill()
                worker.join()
            raise LoaderLostError(
                f"{data.name}: a data worker was lost ({error}). Was it killed, or is memory short? The same "
                "command goes on from the newest checkpoint; fewer --data.workers need less memory"
            ) from error
        yield ring.rows(slot)


def _start(loader: DataLoader[Any]) -> tuple[Iterator[int], set[BaseProcess]]:
    """The slots of the batches and the worker processes that gather them.

    DataLoader listens for the end of a child, and then raises an error wherever this process happens to be, be it
    in the midst of a step; we would rather look ourselves, between batches.
    """
    others = set(multiprocessing.active_children())
    listener = signal.getsignal(signal.SIGCHLD)
    slots = iter(loader)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGCHLD, listener or signal.SIG_DFL)
    return slots, set(multiprocessing.active_children()) - others


def _ignore_interrupts(worker: int) -> None:  # noqa: ARG001
    """Leave it to the training process to finish its step when the whole group of processes is told to end."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
