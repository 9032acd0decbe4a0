"""Decode pictures in this process or in several worker processes; results come in the order of the files.

A worker process starts by importing the user's script, as always with multiprocessing. That fails for a script that
calls `pack` outside of `if __name__ == "__main__":`, and for one read from standard input, which is not a file.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ebgan.data.picture import channels_first
from ebgan.data.store import Entry, Store
from ebgan.errors import WORKER_LOST, EbganError, UsageError

_GUARD = (
    "the processes that decode pictures import the script that calls pack(): put the call below "
    '`if __name__ == "__main__":`, or give workers=1'
)
_AHEAD = 2  # stretches in flight for each process; this bounds the memory used


class DecoderLostError(EbganError):
    """A process that decodes pictures ended unexpectedly."""

    exit_code = WORKER_LOST


class Decoded(NamedTuple):
    """The result of decoding several files."""

    pixels: NDArray[np.uint8]  # [kept, channels, size, size]
    grey: bool  # whether every picture is grey
    refused: list[tuple[int, str]]  # index among the files, and reason
    deepest: int  # the highest level in any 16-bit picture, 0 if there are none


@dataclass(frozen=True)
class Decoder:
    """Decodes files of a store to images of one shape; see `decode_picture` for the fields."""

    store: Store
    size: int  # height and width
    crop: int | None
    channels: int
    white: int | None = None  # the level of 16-bit pictures that becomes 255

    @property
    def length(self) -> int:
        """Bytes of one image."""
        return self.channels * self.size * self.size

    def __call__(self, entries: list[Entry]) -> Decoded:
        """Decode files one after the other."""
        pixels = np.empty((len(entries), self.channels, self.size, self.size), np.uint8)
        refused: list[tuple[int, str]] = []
        grey, deepest = True, 0
        for index, entry in enumerate(entries):
            attempt = self.store.attempt(entry, self.size, self.crop, self.white)
            if attempt.pixels is None:
                refused.append((index, attempt.reason))
                continue
            pixels[index - len(refused)] = channels_first(attempt.pixels, self.channels)
            grey, deepest = grey and attempt.grey, max(deepest, attempt.deepest)
        return Decoded(pixels[: len(entries) - len(refused)], grey, refused, deepest)


def decode(decoder: Decoder, stretches: Iterable[list[Entry]], workers: int) -> Generator[Decoded, None, None]:
    """Decode stretches of files with `workers` processes, and yield the results in order.

    The processes end when the generator is closed. One worker means this process itself. Raises DecoderLostError if a
    process dies, and UsageError if the processes cannot import the calling script.
    """
    if workers == 1:
        for stretch in stretches:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                decoded = decoder(stretch)
            yield decoded
        return
    _check_main()
    context = multiprocessing.get_context("forkserver")  # a plain fork may inherit a lock that is held
    context.set_forkserver_preload([__name__])
    others, begun = set(multiprocessing.active_children()), context.Event()
    pool = ProcessPoolExecutor(workers, context, _begin, (begun,))
    waiting: deque[Future[Decoded]] = deque()
    try:
        for stretch in stretches:
            waiting.append(pool.submit(decoder, stretch))
            if len(waiting) > _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except (BrokenProcessPool, OSError) as error:  # OSError: the pipe to a process that has ended
        if not begun.is_set():
            raise UsageError(f"no process that decodes pictures could begin: {_GUARD}") from error
        raise DecoderLostError(
            f"a process that decodes pictures was lost ({error}): was it killed, or is memory short? The same command "
            "goes on from what is saved; fewer --workers need less memory"
        ) from error
    except BaseException:
        for worker in set(multiprocessing.active_children()) - others:  # their results are no longer needed
            worker.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def check_not_imported() -> None:
    """Raise UsageError if this is a worker process that is still importing the user's script."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # multiprocessing's own test
        raise UsageError(_GUARD)


def _check_main() -> None:
    """Raise UsageError if the running script is not a file, because worker processes must import it."""
    path = getattr(sys.modules["__main__"], "__file__", None)
    if path is not None and getattr(sys.modules["__main__"], "__spec__", None) is None and not Path(path).is_file():
        raise UsageError(
            f"the processes that decode pictures import the script that calls pack(), and {path} is not a file: save "
            "the script as a file, or give workers=1"
        )


def _begin(begun: Event) -> None:
    """Start a worker: ignore Ctrl-C, silence Pillow's warnings, and end when the parent process ends."""
    begun.set()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    """End this process when its parent ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
