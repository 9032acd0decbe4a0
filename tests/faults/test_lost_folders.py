"""A run folder that is moved, deleted or replaced under its trainer ends the run with 5, and is never made again."""

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ebgan
from ebgan.cli.main import run as command
from ebgan.errors import CheckpointError, StorageError, UsageError
from ebgan.storage.files import write_atomically
from ebgan.storage.held import FolderLostError
from ebgan.storage.runfolder import RunFolder, append_record, read_records
from ebgan.sweeps.store import SweepStore
from ebgan.training import checkpoint, course
from ebgan.training.lock import run_lock
from ebgan.training.saver import Saver

LOST_AT = 72  # images seen, after the checkpoint of 72


def moved(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))


def moved_and_made_again(folder: Path) -> None:
    moved(folder)
    folder.mkdir()
    (folder / "lock").touch()


def copied_and_replaced(folder: Path) -> None:
    moved(folder)
    shutil.copytree(folder.with_name("moved"), folder)


def moved_with_a_link_to_the_lock(folder: Path) -> None:
    moved(folder)
    folder.mkdir()
    (folder / "lock").symlink_to(folder.with_name("moved") / "lock")


def parent_moved(folder: Path) -> None:
    folder.parent.rename(folder.parent.with_name("elsewhere"))


def lock_deleted(folder: Path) -> None:
    (folder / "lock").unlink()


def lock_replaced(folder: Path) -> None:
    (folder / "lock").rename(folder / "old lock")
    (folder / "lock").touch()


def lock_in_the_way(folder: Path) -> None:
    lock_deleted(folder)
    (folder / "lock").mkdir()


HARMS = [
    *(moved, moved_and_made_again, copied_and_replaced, moved_with_a_link_to_the_lock, parent_moved),
    *(lock_deleted, lock_replaced, lock_in_the_way, shutil.rmtree),
]


def contents(folder: Path) -> dict[str, int]:
    """Every file with its size."""
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__.replace("_", " "))
def test_a_folder_that_is_lost_under_its_trainer_ends_the_run_and_stays_as_it_is(
    ebgan_pt, a_run, monkeypatch, harm: Callable[[Path], None]
) -> None:
    run, left = a_run(ebgan_pt), {}
    run = replace(run, folder=run.folder / "deep" / "run")
    step, save = course.train_step, Saver.save
    monkeypatch.setattr(Saver, "save", lambda saver, seconds: (save(saver, seconds), saver.wait()))

    def harmed(game, progress, *rest, **named):
        if progress.seen == LOST_AT:
            harm(run.folder)
            left.update(contents(run.folder) if run.folder.exists() else {})
        return step(game, progress, *rest, **named)

    monkeypatch.setattr(course, "train_step", harmed)
    with pytest.raises(FolderLostError, match=r"Nothing more is written.*last saved after 72 images seen") as error:
        run.train()
    assert error.value.exit_code == 5
    assert (contents(run.folder) if run.folder.exists() else {}) == left
    if harm is moved:
        assert f"now {run.folder.with_name('moved')}" in str(error.value)


def test_no_write_of_any_kind_lands_in_a_lost_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with run_lock(folder.lock), SweepStore(folder.path / "trials.sqlite") as store:
        append_record(folder.stats, {"images": 1})
        store.state(grid="one")
        moved(folder.path)
        for write in (
            lambda: append_record(folder.stats, {"images": 2}),
            lambda: write_atomically(folder.report, b"page"),
            lambda: write_atomically(folder.grid(5), b"picture"),
            lambda: store.state(grid="two"),
        ):
            with pytest.raises(FolderLostError, match="moved, deleted or replaced"):
                write()
        append_record(tmp_path / "other.jsonl", {"images": 1})  # none of the held folder's
    assert not folder.path.exists()


@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "text", "pipe", "folder"])
def test_a_lock_that_is_none_is_refused_and_left_as_it_is(tmp_path: Path, kind: str) -> None:
    lock, precious = tmp_path / "run" / "lock", tmp_path / "precious"
    lock.parent.mkdir()
    precious.write_text("do not lose me")
    {
        "link": lambda: lock.symlink_to(precious),
        "dangling link": lambda: lock.symlink_to(tmp_path / "nowhere"),
        "hard link": lambda: lock.hardlink_to(precious),
        "text": lambda: shutil.copy(precious, lock),
        "pipe": lambda: os.mkfifo(lock),
        "folder": lock.mkdir,
    }[kind]()
    with pytest.raises(StorageError, match=r"lock: (is not the lock|could not .* \(EISDIR)"), run_lock(lock):
        pass
    assert precious.read_text() == "do not lose me"
    assert not (tmp_path / "nowhere").exists()
    assert kind != "text" or lock.read_text() == "do not lose me"


def test_a_file_system_without_locks_is_not_told_of_free_space(tmp_path: Path, monkeypatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refused)
    with pytest.raises(StorageError, match="refuses to lock a file") as error, run_lock(tmp_path / "lock"):
        pass
    assert "space" not in str(error.value)


def unlistable(monkeypatch, folder: Path, number: int) -> None:
    """Have the system refuse to list a folder, as it does root nothing."""
    listed = os.listdir

    def refused(path: Path) -> list[str]:
        if Path(path) == folder:
            raise OSError(number, os.strerror(number))
        return listed(path)

    monkeypatch.setattr(checkpoint.os, "listdir", refused)


@pytest.mark.parametrize("number", [1, 5, 13, 107, 116], ids=["EPERM", "EIO", "EACCES", "ENOTCONN", "ESTALE"])
def test_checkpoints_that_cannot_be_listed_are_not_taken_for_none(ebgan_pt, a_run, monkeypatch, number: int) -> None:
    run = a_run(ebgan_pt)
    run.train()
    before = contents(run.folder)
    unlistable(monkeypatch, run.folder / "checkpoints", number)
    with pytest.raises(StorageError, match="checkpoints: could not be read or written"):
        run.train()
    with pytest.raises(StorageError, match="checkpoints: could not be read or written"):
        ebgan.load(run.folder)
    assert contents(run.folder) == before


@pytest.mark.parametrize("kind", ["a link to nowhere", "an empty folder", "a file", "nothing"])
def test_checkpoints_that_are_gone_are_not_begun_anew(ebgan_pt, a_run, kind: str) -> None:
    run = a_run(ebgan_pt)
    run.train()
    there = run.folder / "checkpoints"
    there.rename(run.folder / "put aside")
    {
        "a link to nowhere": lambda: there.symlink_to("nowhere"),
        "an empty folder": there.mkdir,
        "a file": there.touch,
        "nothing": lambda: None,
    }[kind]()
    before = read_records(run.folder / "stats.jsonl")
    with pytest.raises((StorageError, CheckpointError), match="checkpoints: "):
        run.train()
    assert read_records(run.folder / "stats.jsonl") == before


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew(ebgan_pt, a_run) -> None:
    run = a_run(ebgan_pt)
    run.folder.mkdir(parents=True)
    append_record(run.folder / "stats.jsonl", {"images": 12})
    append_record(run.folder / "stats.jsonl", {"images": 24})  # written just before the checkpoint of 24
    run.train()
    assert run.newest().images == 240


ODD = ["config.yaml", "stats.jsonl", "evaluations.jsonl", "alarms.jsonl", "real.png", "report.html"]


@pytest.mark.parametrize("name", ODD)
def test_a_pipe_in_the_place_of_a_file_is_refused_and_hangs_nothing(ebgan_pt, a_run, name: str) -> None:
    run = a_run(ebgan_pt)
    run.folder.mkdir(parents=True)
    os.mkfifo(run.folder / name)
    with pytest.raises(StorageError, match=f"{name}: is not a regular file"):
        run.train()
    assert stat.S_ISFIFO((run.folder / name).stat().st_mode)
    assert list(run.folder.iterdir()) == [run.folder / name]


@pytest.mark.parametrize("name", ["stats.jsonl", "evaluations.jsonl", "alarms.jsonl"])
def test_the_report_of_a_run_with_a_pipe_among_its_records_ends(ebgan_pt, a_run, capsys, name: str) -> None:
    run = a_run(ebgan_pt)
    run.train()
    (run.folder / name).unlink(missing_ok=True)
    os.mkfifo(run.folder / name)
    assert command(["report", str(run.folder)]) == 5
    assert f"{name}: is not a regular file" in capsys.readouterr().err


def test_records_are_not_appended_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "stats.jsonl").symlink_to(tmp_path / "target")
    with pytest.raises(StorageError, match="ELOOP"):
        append_record(tmp_path / "stats.jsonl", {"images": 1})
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("verb", ["train", "report", "sample", "score", "evaluate", "sweep"])
def test_an_over_long_name_is_a_matter_of_usage(tmp_path: Path, capsys, verb: str) -> None:
    path, digits = str(tmp_path / ("x" * 300)), "digits"
    words = {
        "train": [digits, path],
        "score": [path, digits],
        "sweep": ["mnist_grid.ebgan", path, "--limit", "1"],
    }
    assert command([verb, *words.get(verb, [path])]) == UsageError.exit_code
    assert "long" in capsys.readouterr().err


def test_a_path_with_a_zero_byte_is_a_matter_of_usage(ebgan_pt, a_run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="zero byte"):
        replace(a_run(ebgan_pt), folder=tmp_path / "a\0b").train()


def test_a_path_that_is_no_utf_8_trains_is_reported_and_sampled(ebgan_pt, tmp_path: Path, capsys) -> None:
    out, config = tmp_path / os.fsdecode(b"caf\xe9"), tmp_path / "config.yaml"
    images = tmp_path / "images.npz"
    np.savez(images, images=np.zeros((24, 8, 8), np.uint8) + np.arange(24, dtype=np.uint8)[:, None, None])
    config.write_text(replace(ebgan_pt, data=replace(ebgan_pt.data, source=str(images)), images=24).to_yaml())
    assert command(["train", str(config), str(out), "--device", "cpu"]) == 0
    assert command(["train", str(config), str(out), "--device", "cpu"]) == 0
    assert command(["report", str(out)]) == 0
    assert command(["sample", str(out), "--device", "cpu", "--count", "4"]) == 0
    assert r"caf\udce9" in capsys.readouterr().out
