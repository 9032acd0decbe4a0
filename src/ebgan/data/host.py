"""Gather batches on the host with worker processes, for sets that are too large for the device."""

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

TIMEOUT = 60.0  # seconds to wait for a batch before the workers count as lost
_AHEAD = 2  # batches that each worker prepares in advance


class LoaderLostError(EbganError):
    """A process that reads images for training ended or hangs."""

    exit_code = WORKER_LOST


Rows = tuple[Tensor, Tensor | None]  # images as they are stored (uint8, or floats for points), and their labels


class _Ring(torch_data.Dataset[int]):
    """A dataset of whole batches: each is written into a slot of a ring in shared memory, and its item is the slot.

    A worker so sends only an integer through its pipe. If it sent tensors, it would send handles that this process must
    fetch from the worker; a worker stopped at that moment would block this process forever, despite the timeout.
    """

    def __init__(self, data: Packed, batch: int, slots: int) -> None:
        self.data = data
        self.images = torch.empty((slots, batch, *data.shape), dtype=torch.uint8)
        self.labels = torch.empty((slots, batch), dtype=torch.int64)
        self.images.share_memory_()  # type: ignore[no-untyped-call]
        self.labels.share_memory_()  # type: ignore[no-untyped-call]

    def __getitem__(self, task: tuple[int, NDArray[np.int64]]) -> int:
        slot, indices = task
        np.take(self.data.images, indices, 0, self.images[slot].numpy(), "clip")  # mode "raise" makes another copy
        if self.data.labels is not None:
            np.take(self.data.labels, indices, 0, self.labels[slot].numpy(), "clip")
        return slot

    def rows(self, slot: int) -> Rows:
        """The batch in a slot; the images must be copied before the next batch is requested."""
        return self.images[slot], None if self.data.labels is None else self.labels[slot].clone()


def from_host(data: Packed, indices: Iterator[Tensor], batch: int, workers: int) -> Iterator[Rows]:
    """Yield for each tensor of indices [batch] the images and labels there, gathered by `workers` processes.

    Raises LoaderLostError if a worker dies or hangs.
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
        multiprocessing_context="spawn" if workers else None,  # a fork may inherit a lock that is held
        generator=torch.Generator(),  # otherwise DataLoader draws from PyTorch's global generator
    )
    slots, started = _start(loader)
    while True:
        try:
            lost = [worker.pid for worker in started if not worker.is_alive()]
            if lost:
                raise RuntimeError(f"process {lost} ended")
            slot = next(slots)
        except RuntimeError as error:
            for worker in started:  # a stopped worker ignores requests to end, and would block our exit
                worker.kill()
                worker.join()
            raise LoaderLostError(
                f"{data.name}: a data worker was lost ({error}). Was it killed, or is memory short? The same "
                "command goes on from the newest checkpoint; fewer --data.workers need less memory"
            ) from error
        yield ring.rows(slot)


def _start(loader: DataLoader[Any]) -> tuple[Iterator[int], set[BaseProcess]]:
    """The iterator over slots, and the worker processes that it started.

    DataLoader installs a SIGCHLD handler that raises an error wherever this process is when a worker ends, even in the
    middle of a step. The previous handler is restored; `from_host` checks the workers between batches instead.
    """
    others = set(multiprocessing.active_children())
    handler = signal.getsignal(signal.SIGCHLD)
    slots = iter(loader)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGCHLD, handler or signal.SIG_DFL)
    return slots, set(multiprocessing.active_children()) - others


def _ignore_interrupts(worker: int) -> None:  # noqa: ARG001
    """Ignore signals sent to the whole process group; the training process finishes its step and ends its workers."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
