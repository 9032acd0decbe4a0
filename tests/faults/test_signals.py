"""A run that is asked to stop finishes its step, saves itself, and says by its exit code what it was asked by."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ebgan.storage.runfolder import read_records
from ebgan.training import course
from ebgan.training.loop import Training

CODES = {signal.SIGTERM: 143, signal.SIGUSR1: 143, signal.SIGINT: 130, signal.SIGHUP: 143}
STOPPED = 84  # images seen at the end of the seventh step, in which the signal comes


def in_a_step(patch: pytest.MonkeyPatch, send) -> None:
    take = course.train_step
    patch.setattr(
        course,
        "train_step",
        lambda game, progress, *rest, **named: (send(progress), take(game, progress, *rest, **named))[1],
    )


def in_an_evaluation(patch: pytest.MonkeyPatch, send) -> None:
    patch.setattr(Training, "examine", lambda training, seen: send(training.course.progress))


def in_a_save(patch: pytest.MonkeyPatch, send) -> None:
    sync, save = os.fsync, Training.save

    def slow_save(training: Training) -> None:
        patch.setattr(os, "fsync", lambda file: (send(training.course.progress), sync(file))[1])
        save(training)
        training.saver.wait()
        patch.setattr(os, "fsync", sync)

    patch.setattr(Training, "save", slow_save)


def sender(images: int, *numbers: signal.Signals):
    """What sends signals to its own process once so many images were seen, each time that it is called the next."""
    left = iter(numbers)

    def send(progress: course.Progress) -> None:
        if progress.seen == images and (number := next(left, None)):
            os.kill(os.getpid(), number)

    return send


@pytest.mark.parametrize(("place", "images"), [(in_a_step, 72), (in_an_evaluation, 84), (in_a_save, 96)])
def test_a_run_that_is_asked_to_stop_saves_itself_and_goes_on_later(
    ebgan_pt, a_run, monkeypatch, place, images: int
) -> None:
    experiment = replace(ebgan_pt, evaluation=replace(ebgan_pt.evaluation, every=12))
    whole = a_run(experiment)
    whole.train()
    for number, code in CODES.items():
        run = a_run(experiment)
        assert run.start(lambda: place(monkeypatch, sender(images, number))).end() == code  # noqa: B023
        stopped = run.newest()
        assert stopped.images == max(images, STOPPED)
        last = read_records(run.folder / "stats.jsonl")[-1]
        assert last["images"] == stopped.images
        assert stopped.meta["seconds"] == pytest.approx(last["seconds"], abs=1e-3)
        run.train()
        assert run.digest() == whole.digest()


def test_a_second_interrupt_ends_the_run_at_once_and_what_was_saved_stays(ebgan_pt, a_run, monkeypatch) -> None:
    run, before = a_run(ebgan_pt), signal.getsignal(signal.SIGINT)
    send = sender(72, signal.SIGINT, signal.SIGINT)
    in_a_step(monkeypatch, lambda progress: (send(progress), send(progress)))
    with pytest.raises(KeyboardInterrupt):
        run.train()
    assert run.newest().images == 72
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def command(ebgan_pt, tmp_path: Path, labelled: Path) -> list[str]:
    """`ebgan train` of a run that does not end, into the folder `out`."""
    far = 10**9
    endless = replace(
        ebgan_pt,
        data=replace(ebgan_pt.data, source=str(labelled)),
        evaluation=replace(ebgan_pt.evaluation, every=far, pictures=120),
        images=far,
        checkpoint=far,
    )
    config = tmp_path / "endless.yaml"
    config.write_text(endless.to_yaml())
    ebgan = str(Path(sys.executable).with_name("ebgan"))
    return [ebgan, "train", str(config), str(tmp_path / "out"), "--device", "cpu"]


def await_pictures(out: Path) -> None:
    """Wait until the run is under way."""
    until = time.monotonic() + 60
    while not (out / "samples").exists() and time.monotonic() < until:
        time.sleep(0.05)


def test_the_command_ends_with_143_and_has_saved_all(command: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    await_pictures(out)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 143, said
    (images,) = re.findall(r"stopped by SIGTERM after ([0-9,]+) images seen; all is saved", said)
    assert (out / "checkpoints" / f"{int(images.replace(',', '')):012d}.ckpt").is_file()
    assert (out / "report.html").is_file()


def test_a_closed_terminal_ends_the_run_with_143_after_it_is_saved(command: list[str], tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    await_pictures(tmp_path / "out")
    os.close(terminal)  # as a window that is closed, or a connection that is lost
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 143
    assert list((tmp_path / "out" / "checkpoints").glob("0*.ckpt"))
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_run_under_nohup_goes_on_when_the_terminal_is_closed(ebgan_pt, a_run, monkeypatch) -> None:
    run = a_run(ebgan_pt)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        in_a_step(monkeypatch, sender(72, signal.SIGHUP))
        run.train()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert run.newest().images == 240
