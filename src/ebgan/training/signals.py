"""Stop on SIGTERM, SIGUSR1, SIGINT or SIGHUP, after the current step is finished and the run is saved.

SIGHUP is sent when the terminal is closed or its connection is lost. Printing would then raise an error before the run
is saved, so output is discarded. Under `nohup`, which ignores SIGHUP, the run continues.
"""

from __future__ import annotations

import errno
import os
import signal
import termios
import threading
from types import FrameType, TracebackType
from typing import Any

import torch

from ebgan.distributed import largest_across_ranks, rank
from ebgan.errors import INTERRUPTED, TERMINATED, EbganError
from ebgan.training.late import Late

_STOPS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGHUP)
_PRINTED = (1, 2)  # standard output and standard error


class StoppedError(EbganError):
    """The run was stopped by a signal and is saved; the same command resumes it."""

    agreed = True

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def exit_code(stop: signal.Signals) -> int:
    """130 for SIGINT, 143 for the others."""
    return INTERRUPTED if stop is signal.SIGINT else TERMINATED


class StopSignals:
    """While entered, remembers the first signal that asks to stop; a second SIGINT interrupts at once."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._sent: Late | None = None
        self._before: dict[signal.Signals, Any] = {}

    def agreed(self, device: torch.device) -> signal.Signals | None:
        """The signal to stop for, the same on all ranks; with several ranks it is known one step late."""
        if rank().count == 1:
            return self.received
        before = int(self._sent.read()) if self._sent else 0
        self._sent = Late(largest_across_ranks(self._number(device)))
        return signal.Signals(before) if before else None

    def _number(self, device: torch.device) -> torch.Tensor:
        """The signal as a tensor created on the device, since a copy to it would wait for the step."""
        return torch.full((), int(self.received or 0), dtype=torch.int64, device=device)

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for each in _STOPS:
                if each is not signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:
                    self._before[each] = signal.signal(each, self._remember)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _remember(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.received is signal.SIGINT and number == signal.SIGINT:
            raise KeyboardInterrupt
        if number == signal.SIGHUP:
            _leave_lost_terminal()
        self.received = self.received or signal.Signals(number)


def _leave_lost_terminal() -> None:
    """Discard output to a terminal that was closed."""
    for descriptor in _PRINTED:
        try:
            termios.tcgetattr(descriptor)
        except termios.error as error:
            if error.args[0] == errno.EIO:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
