"""Pictures decoded in place or by several processes, whose results come in the order of the files.

Such a process begins with importing the script that calls this. One that calls it on import, because its call is not
below `if __name__ == "__main__":`, and one from standard input, which is no file, cannot be imported so.
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
    "several processes that decode pictures import the script that calls pack(): put its call below "
    '`if __name__ == "__main__":`, or give workers=1'
)
_AHEAD = 2  # stretches that wait for each process: they are all that is held in memory


class DecoderLostError(EbganError):
    """A process that decodes pictures has ended."""

    exit_code = WORKER_LOST


class Decoded(NamedTuple):
    """A range of files, decoded."""

    pixels: NDArray[np.uint8]  # [kept, channels, size, size]
    grey: bool  # whether every picture is
    refused: list[tuple[int, str]]  # places among the files, and reasons
    deepest: int  # the highest level of pictures of 16 bits, 0 where there are none


@dataclass(frozen=True)
class Decoder:
    """How the pictures of a store become pixels."""

    store: Store
    size: int
    crop: int | None
    channels: int
    white: int | None = None  # the level of 16-bit pictures that becomes 255

    @property
    def length(self) -> int:
        """Bytes of an image."""
        return self.channels * self.size * self.size

    def __call__(self, entries: list[Entry]) -> Decoded:
        """Files, decoded one after the other."""
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
    """The stretches in their order, each decoded by one of so many processes, which end when this is closed.

    One worker is this process itself. Raises DecoderLostError if a process dies, and UsageError, with the mend, if none
    can begin because the script that calls this cannot be imported.
    """
    if workers == 1:
        for stretch in stretches:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                decoded = decoder(stretch)
            yield decoded
        return
    _check_main()
    context = multiprocessing.get_context("forkserver")  # a child forked from here may inherit a lock that is held
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
    except (BrokenProcessPool, OSError) as error:  # OSError: of a pipe to one that is gone
        if not begun.is_set():
            raise UsageError(f"no process that decodes pictures could begin: {_GUARD}") from error
        raise DecoderLostError(
            f"a process that decodes pictures was lost ({error}): was it killed, or is memory short? The same command "
            "goes on from what is saved; fewer --workers need less memory"
        ) from error
    except BaseException:
        for worker in set(multiprocessing.active_children()) - others:  # nobody waits for what they are at
            worker.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def check_not_imported() -> None:
    """Raise UsageError in a process that decodes pictures and still imports the script that called for it."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # as multiprocessing itself asks
        raise UsageError(_GUARD)


def _check_main() -> None:
    """Raise UsageError if the running script is no file, since no process can then import it."""
    path = getattr(sys.modules["__main__"], "__file__", None)
    if path is not None and getattr(sys.modules["__main__"], "__spec__", None) is None and not Path(path).is_file():
        raise UsageError(
            f"several processes that decode pictures import the script that asks for them, and {path} is no file: save "
            "the script as a file, or give workers=1"
        )


def _begin(begun: Event) -> None:
    """Leave signals to the process that packs, and end with it; silence Pillow's warnings."""
    begun.set()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
