"""Whatever the disk refuses and wherever a save is killed, a valid checkpoint is there and the next save works."""

import errno
import io
import os
import random
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ebgan.errors import StorageError
from ebgan.training.checkpoint import Checkpoint, newest, publish, publish_best

Fault = Callable[[], None]


def checkpoint(images: int, numbers: int = 300) -> Checkpoint:
    tensors = {"weight": torch.full((numbers,), float(images)), "seen": torch.tensor(images)}
    return Checkpoint(images, images, "c0ffee", tensors, {"images": images})


def resumed(folder: Path) -> int:
    """The images of the newest checkpoint, which must be whole and without a warning."""
    found = newest(folder)
    assert found is not None
    state, warnings = found
    assert warnings == []
    assert state.meta == {"images": state.images}
    assert (state.tensors["weight"] == state.images).all()
    return state.images


def temporaries(folder: Path) -> list[Path]:
    return list(folder.glob(".*"))


class Disk:
    """Every file operation that changes the disk, with a fault at the n-th, or from the n-th on."""

    def __init__(self, patch: pytest.MonkeyPatch, fault: Fault, at: int, lasting: bool) -> None:
        self.fault, self.at, self.lasting, self.calls = fault, at, lasting, 0
        for name in ("open", "fsync", "replace", "rename", "unlink"):
            patch.setattr(os, name, self._counted(getattr(os, name)))
        patch.setattr(io, "open", self._open)

    def count(self) -> None:
        self.calls += 1
        if self.calls == self.at or (self.lasting and self.calls > self.at):
            self.fault()

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.count()
            return call(*args, **kwargs)

        return counted

    def _open(self, path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if "w" not in mode:
            return io.FileIO(path, mode.replace("b", ""))
        self.count()
        return io.BufferedWriter(Pieces(self, path))


class Pieces(io.FileIO):
    """A file that takes 200 bytes a write, so that a fault can fall within a save's content."""

    def __init__(self, disk: Disk, path: Path) -> None:
        super().__init__(path, "w")
        self.disk = disk

    def write(self, content: Any) -> int:
        self.disk.count()
        return super().write(bytes(memoryview(content)[:200]))


def refusal(code: int) -> Fault:
    def refuse() -> None:
        raise OSError(code, os.strerror(code))

    return refuse


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def in_child(work: Callable[[], None]) -> int:
    """The wait status of a forked process that did the work: 0 if it returned, 9 if it was killed."""
    pid = os.fork()
    if pid == 0:
        torch.set_num_threads(1)
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1]


def save_with_fault(folder: Path, fault: Fault, at: int, lasting: bool = False) -> int:
    """Publish the second of two checkpoints and keep one; the number of file operations that it took."""
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(patch, fault, at, lasting)
        publish(folder, checkpoint(20), keep=1)
        return disk.calls


def operations(folder: Path) -> int:
    """How many file operations a save makes: it is run with a fault that never comes."""
    publish(folder, checkpoint(10))
    return save_with_fault(folder, kill, at=0)


def test_the_faults_fall_on_every_stage_of_a_save(tmp_path: Path) -> None:
    # open, 8 pieces or more, fsync, replace, open and fsync of the folder, unlink of the old checkpoint
    assert operations(tmp_path) >= 14


def test_a_kill_at_any_file_operation_leaves_the_old_or_the_new_checkpoint(tmp_path: Path) -> None:
    seen = []
    for at in range(1, operations(tmp_path / "all") + 1):
        folder = tmp_path / str(at)
        publish(folder, checkpoint(10))
        assert in_child(lambda: save_with_fault(folder, kill, at)) == signal.SIGKILL  # noqa: B023
        seen.append(resumed(folder))
        publish(folder, checkpoint(30))
        assert resumed(folder) == 30
        assert temporaries(folder) == []
    assert seen == sorted(seen)
    assert set(seen) == {10, 20}


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("lasting", [False, True])
def test_a_refusal_at_any_file_operation_leaves_the_old_or_the_new_checkpoint(
    tmp_path: Path, code: int, lasting: bool
) -> None:
    seen = []
    for at in range(1, operations(tmp_path / "all") + 1):
        folder = tmp_path / str(at)
        publish(folder, checkpoint(10))
        with pytest.raises(StorageError, match=rf"{folder}/.*{errno.errorcode[code]}.* [0-9,]+ bytes free"):
            save_with_fault(folder, refusal(code), at, lasting)
        assert lasting or temporaries(folder) == []
        seen.append(resumed(folder))
        publish(folder, checkpoint(30))
        assert resumed(folder) == 30
        assert temporaries(folder) == []
    assert set(seen) == {10, 20}


@pytest.mark.parametrize("room", [0, 1, 1_000, 100_000, 400_000])
def test_a_full_disk_is_named_and_leaves_the_old_checkpoint(tmp_path: Path, room: int) -> None:
    publish(tmp_path, checkpoint(10))
    message = tmp_path / "message"

    def save() -> None:
        try:
            with FileSizeLimit(room):
                publish(tmp_path, checkpoint(20, numbers=100_000))
        except StorageError as error:
            message.write_text(str(error))

    assert in_child(save) == 0
    assert "000000000020.ckpt: could not be read or written (EFBIG" in message.read_text()
    assert "400," in message.read_text().split(" bytes needed")[0]
    assert temporaries(tmp_path) == []
    assert resumed(tmp_path) == 10
    publish(tmp_path, checkpoint(20, numbers=100_000))
    assert resumed(tmp_path) == 20


class FileSizeLimit:
    """No file of this process may grow beyond so many bytes: what is beyond is refused as by a full disk."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __enter__(self) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.before[1]))

    def __exit__(self, *error: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


def test_kills_at_random_moments_of_a_loop_of_saves_lose_nothing_that_was_published(tmp_path: Path) -> None:
    publish(tmp_path, checkpoint(1, numbers=20_000))
    delays = random.Random(0)
    published, tell = os.pipe()

    def save_for_ever() -> None:
        images = resumed(tmp_path)
        while True:
            images += 1
            publish(tmp_path, checkpoint(images, numbers=20_000))
            os.write(tell, images.to_bytes(8, "little"))
            publish_best(tmp_path, checkpoint(images, numbers=20_000))

    for _ in range(20):
        pid = os.fork()
        if pid == 0:
            torch.set_num_threads(1)
            try:
                save_for_ever()
            finally:
                os._exit(1)
        first = os.read(published, 8)
        time.sleep(delays.uniform(0, 0.05))
        os.kill(pid, signal.SIGKILL)
        assert os.waitpid(pid, 0)[1] == signal.SIGKILL
        os.write(tell, b"end")
        known = first + os.read(published, 1 << 16).removesuffix(b"end")
        assert resumed(tmp_path) >= int.from_bytes(known[-8:], "little")
    publish(tmp_path, checkpoint(resumed(tmp_path) + 1))
    assert temporaries(tmp_path) == []
    assert len(list(tmp_path.glob("0*.ckpt"))) == 2
