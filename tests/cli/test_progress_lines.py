"""What a run prints where no terminal is."""

import os
import pty

import pytest

from ebgan import Experiment
from ebgan.cli.main import run
from ebgan.cli.progress import ProgressBar
from ebgan.cli.progress_lines import ProgressLines
from ebgan.cli.train import progress_of

SMALL = ["--images", "640", "--nets.generator.width", "16", "--nets.discriminator.width", "16"]
SMALL += ["--evaluation.samples", "20", "--device", "cpu"]


@pytest.fixture
def printed(capsys):
    def printed(images, seconds):
        """The lines that records of these images at these seconds print, in a run of 1,000 images."""
        times = iter(seconds)
        lines = ProgressLines(Experiment(images=1000), clock=lambda: next(times))
        for seen in images:
            lines.record({"images": seen, "images_per_second": 50.0, "energy_real": 3.0, "margin": 10.0})
        return capsys.readouterr().err.splitlines()

    return printed


def test_a_line_is_printed_for_the_first_record_and_each_tenth(printed):
    lines = printed(range(5, 1001, 5), [0.0] * 200)
    assert [line.split("/")[0] for line in lines] == ["5", *(f"{images:,}" for images in range(100, 1001, 100))]
    assert lines[1] == "100/1,000 (10%), 18 s left, 50/s E(x) 3.00 m 10"
    assert lines[-1] == "1,000/1,000 (100%), 0 s left, 50/s E(x) 3.00 m 10"


def test_a_line_is_printed_once_a_minute_in_a_slow_run(printed):
    lines = printed([1, 2, 3, 4, 5], [0.0, 30.0, 61.0, 100.0, 122.0])
    assert [line.split("/")[0] for line in lines] == ["1", "3", "5"]


def test_a_run_that_goes_on_says_so_at_once(printed):
    assert [line.split("/")[0] for line in printed([555, 560], [0.0, 1.0])] == ["555"]


def test_a_last_batch_beyond_the_end_is_not_counted(printed):
    assert printed([1024], [0.0])[0].startswith("1,000/1,000 (100%), 0 s left")


def test_train_without_a_terminal_prints_lines_and_no_bar(tmp_path, capsys):
    assert run(["train", "digits", str(tmp_path / "run"), *SMALL]) == 0
    lines = capsys.readouterr().err.splitlines()
    progress = [line for line in lines if "/640 (" in line]
    assert len(progress) == 10  # the first record ends the first tenth
    assert progress[-1].startswith("640/640 (100%), 0 s left")
    assert not any("\x1b" in line or "━" in line for line in lines)


def test_quiet_prints_nothing_but_errors(tmp_path, capfd):
    assert run(["train", "digits", str(tmp_path / "run"), *SMALL, "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")
    assert (tmp_path / "run" / "report.html").exists()
    assert run(["train", "digits", str(tmp_path / "run"), *SMALL, "--quiet", "--seed", "1"]) == 2
    assert "another config" in capfd.readouterr().err


def test_a_terminal_gets_the_bar(monkeypatch):
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        assert isinstance(progress_of(Experiment(), quiet=False), ProgressBar)
        monkeypatch.setenv("TERM", "dumb")
        with progress_of(Experiment(), quiet=False) as observer:
            assert isinstance(observer, ProgressLines)
    os.close(ours)
