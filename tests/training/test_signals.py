"""Signals that ask to stop are remembered while a run listens, and theirs again afterwards."""

import os
import signal
import threading

import pytest
import torch

from ebgan.training.signals import StopSignals, exit_code

CPU = torch.device("cpu")
ASKING = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


@pytest.mark.parametrize(("number", "code"), zip(ASKING, (143, 143, 130), strict=True))
def test_a_signal_is_remembered_and_has_its_exit_code(number: signal.Signals, code: int) -> None:
    with StopSignals() as signals:
        assert signals.agreed(CPU) is None
        os.kill(os.getpid(), number)
        assert signals.agreed(CPU) is number
    assert exit_code(number) == code


def test_the_first_signal_counts() -> None:
    with StopSignals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert signals.agreed(CPU) is signal.SIGTERM


def test_a_second_interrupt_is_not_waited_for() -> None:
    with StopSignals():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_the_handlers_of_before_are_back_also_after_an_error() -> None:
    before = [signal.getsignal(number) for number in ASKING]
    with StopSignals():
        assert all(signal.getsignal(number) != handler for number, handler in zip(ASKING, before, strict=True))
    assert [signal.getsignal(number) for number in ASKING] == before
    with pytest.raises(ZeroDivisionError), StopSignals():
        _ = 1 / 0
    assert [signal.getsignal(number) for number in ASKING] == before


def test_a_run_in_another_thread_leaves_signals_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def listen() -> None:
        with StopSignals() as signals:
            seen.append((signal.getsignal(signal.SIGTERM), signals.agreed(CPU)))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert seen == [(before, None)]
