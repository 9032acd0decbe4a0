"""One process trains in a run folder: the lock is refused while it is held, and free however the holder ended."""

import errno
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ebgan.data.journal import PackFolder
from ebgan.errors import RunLockedError, StorageError
from ebgan.training.lock import run_lock


@contextmanager
def holder(lock: Path, also: Callable[[], int] = lambda: 0) -> Iterator[tuple[int, int]]:
    """Another process that holds the lock until it is killed: its pid, and what `also` returned in it."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        with run_lock(lock):
            os.write(tell, str(also()).encode())
            time.sleep(60)
        os._exit(1)
    try:
        yield pid, int(os.read(ready, 20))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(ready)
        os.close(tell)


def test_a_second_process_is_refused_by_the_holders_number(tmp_path: Path) -> None:
    with (
        holder(tmp_path / "lock") as (pid, _),
        pytest.raises(RunLockedError, match=rf"process {pid} on .* trains here"),
        run_lock(tmp_path / "lock"),
    ):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EIO])
def test_a_file_system_that_locks_no_files_is_named_and_nothing_is_said_of_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(*_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refused)
    packed = PackFolder(tmp_path / "packed")
    for lock in (run_lock(tmp_path / "lock"), packed.locked()):
        with (
            pytest.raises(StorageError, match="this file system cannot lock files") as raised,
            lock,
        ):
            pass
        assert raised.value.exit_code == 5
        assert "space" not in str(raised.value)
        assert "bytes" not in str(raised.value)


def test_the_lock_is_free_after_its_holder_was_killed(tmp_path: Path) -> None:
    with holder(tmp_path / "lock"):
        pass
    with run_lock(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text().startswith(f"process {os.getpid()} on ")


def test_the_same_process_is_refused_a_second_time_and_keeps_the_first(tmp_path: Path) -> None:
    lock = tmp_path / "new" / "lock"
    with run_lock(lock):
        for _ in range(2):
            with pytest.raises(RunLockedError, match=f"process {os.getpid()}"), run_lock(lock):
                pass


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), run_lock(tmp_path / "lock"):
        raise KeyError
    with run_lock(tmp_path / "lock"), run_lock(tmp_path / "another lock"):
        pass


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for _ in range(3):
        with run_lock(tmp_path / "lock"), pytest.raises(RunLockedError), run_lock(tmp_path / "lock"):
            pass
    assert count() == before


def test_a_forked_worker_that_outlives_a_killed_trainer_does_not_hold_its_lock(tmp_path: Path) -> None:
    def worker() -> int:
        started, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(tell, b"!")
            time.sleep(60)
            os._exit(0)
        os.read(started, 1)
        return pid

    orphan = 0
    try:
        with holder(tmp_path / "lock", worker) as (_, orphan):
            pass
        with run_lock(tmp_path / "lock"):
            os.kill(orphan, 0)
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_a_forked_worker_does_not_free_its_trainers_lock(tmp_path: Path) -> None:
    with run_lock(tmp_path / "lock"):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        with pytest.raises(RunLockedError), run_lock(tmp_path / "lock"):
            pass


def test_a_lock_that_cannot_be_opened_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="EISDIR"), run_lock(tmp_path):
        pass
