"""Packing that is killed, short of space or tampered with goes on, and ends with the bytes of one that was not."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.data import Framing, PackResult, decoding, open_data, pack, packing
from ebgan.errors import EbganError, StorageError

FRAMING = Framing(size=8)
STRETCH = 5  # files: 45 make nine stretches


class Killed(BaseException):
    """What a process does no more after it was killed."""


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of two classes, each ninth of them broken."""
    folder = tmp_path_factory.mktemp("photos")
    pixels = np.random.default_rng(10).integers(0, 256, (45, 10, 10, 3), dtype=np.uint8)
    for number, image in enumerate(pixels):
        path = folder / f"class {number % 2}" / f"{number:02d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(image).save(path)
        if number % 9 == 4:
            path.write_bytes(path.read_bytes()[:100])
    return folder


@pytest.fixture(autouse=True)
def _short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_STRETCH", STRETCH)


@pytest.fixture
def undisturbed(photos: Path, tmp_path: Path) -> Callable[[Path], None]:
    """What a pack must be like in the end: one that was left alone."""
    pack(photos, tmp_path / "undisturbed", FRAMING, workers=1)

    def compare(dest: Path) -> None:
        for name in ("images.packed", "rejected.csv", "journal.jsonl"):
            assert (dest / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
        assert names(dest) == names(tmp_path / "undisturbed")

    return compare


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


PROGRAM = """
import sys, time
from pathlib import Path
from ebgan.data import Framing, pack, packing

if __name__ == "__main__":
    packing._STRETCH = 5
    pack(sys.argv[1], Path(sys.argv[2]), Framing(size=8), workers=2, progress=lambda *_: time.sleep(0.05))
"""


def lines(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_pack_that_is_killed_again_and_again_ends_as_the_one_that_was_not(
    photos: Path, tmp_path: Path, undisturbed: Callable[[Path], None]
) -> None:
    program, dest, delays = tmp_path / "program.py", tmp_path / "dest", random.Random(0)
    program.write_text(PROGRAM)
    kept = 0
    for _ in range(2):
        command = [sys.executable, str(program), str(photos), str(dest)]
        process = subprocess.Popen(command, start_new_session=True)
        while lines(dest / "journal.jsonl") < max(kept, 1) + 1 and process.poll() is None:
            time.sleep(0.005)
        time.sleep(delays.uniform(0, 0.08))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not (dest / "images.packed").exists()
        assert lines(dest / "journal.jsonl") > kept  # what was done is kept
        kept = lines(dest / "journal.jsonl")
        until = time.monotonic() + 20
        while alive(process.pid) and time.monotonic() < until:
            time.sleep(0.01)
        assert not alive(process.pid)  # nobody decodes on for a process that is gone
    pack(photos, dest, FRAMING, workers=1)
    undisturbed(dest)


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def dead(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize(("stop", "error"), [(full, StorageError), (dead, Killed)])
def test_a_stop_at_any_moment_of_writing_leaves_what_the_next_call_goes_on_from(
    photos: Path, tmp_path: Path, undisturbed: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, stop, error
) -> None:
    sync, moments = os.fsync, 0
    for at in (1, 2, 3, 4, 5, 6, 22, 23, 24):  # the journal, the first and last stretch, the end; and beyond
        calls = iter(range(1, 1000))
        dest = tmp_path / f"{at}"
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", lambda file: stop() if next(calls) == at else sync(file))  # noqa: B023
            try:
                pack(photos, dest, FRAMING, workers=1)
            except error:
                moments += 1
        assert (dest / "images.packed").exists() == (next(calls) <= at)
        pack(photos, dest, FRAMING, workers=1)
        undisturbed(dest)
    assert moments == 8


def test_a_disk_that_is_full_is_told_with_the_bytes_and_the_pack_goes_on_when_there_is_space(
    photos: Path, tmp_path: Path, undisturbed: Callable[[Path], None]
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, before[1]))  # four stretches, and the journal
    try:
        with pytest.raises(
            StorageError, match=r"images\.part: could not .* written \(EFBIG.*960 bytes needed, .* free"
        ):
            pack(photos, tmp_path / "dest", FRAMING, workers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert lines(tmp_path / "dest" / "journal.jsonl") > 2
    assert StorageError.exit_code == 5
    pack(photos, tmp_path / "dest", FRAMING, workers=1)
    undisturbed(tmp_path / "dest")


def stopped_in_the_middle(photos: Path, dest: Path) -> None:
    def progress(done: int, total: int, refused: int) -> None:
        if done >= 5 * STRETCH:
            raise Killed

    with pytest.raises(Killed):
        pack(photos, dest, FRAMING, workers=1, progress=progress)


def cut_pixels(dest: Path) -> None:
    os.truncate(dest / "images.part", 1000)


def flip_a_pixel(dest: Path) -> None:
    content = bytearray((dest / "images.part").read_bytes())
    content[64 + 2000] ^= 1
    (dest / "images.part").write_bytes(content)


def lose_the_pixels(dest: Path) -> None:
    (dest / "images.part").unlink()


def tear_the_journal(dest: Path) -> None:
    content = (dest / "journal.jsonl").read_bytes()
    (dest / "journal.jsonl").write_bytes(content[:-30])


def lose_a_line(dest: Path) -> None:
    content = (dest / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (dest / "journal.jsonl").write_bytes(b"".join(content[:2] + content[3:]))


@pytest.mark.parametrize("harm", [cut_pixels, flip_a_pixel, lose_the_pixels, tear_the_journal, lose_a_line])
def test_damage_to_what_was_done_is_found_and_done_again(
    photos: Path, tmp_path: Path, undisturbed: Callable[[Path], None], harm: Callable[[Path], None]
) -> None:
    stopped_in_the_middle(photos, tmp_path / "dest")
    harm(tmp_path / "dest")
    pack(photos, tmp_path / "dest", FRAMING, workers=1)
    undisturbed(tmp_path / "dest")


def test_what_is_done_is_not_done_again(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped_in_the_middle(photos, tmp_path / "dest")
    asked: list[int] = []
    decode = packing.decode

    def watched(decoder, stretches, workers):
        stretches = [*stretches]
        asked.extend(map(len, stretches))
        return decode(decoder, stretches, workers)

    monkeypatch.setattr(packing, "decode", watched)
    pack(photos, tmp_path / "dest", FRAMING, workers=1)
    assert asked == [STRETCH] * 4
    records = [json.loads(line) for line in (tmp_path / "dest" / "journal.jsonl").read_text().splitlines()]
    assert [record["files"] for record in records[1:]] == [STRETCH] * 9


def test_a_process_that_is_killed_while_it_decodes_is_told_and_the_pack_goes_on(
    photos: Path, tmp_path: Path, undisturbed: Callable[[Path], None]
) -> None:
    def kill_the_first(done: int, total: int, refused: int) -> None:
        for child in children(os.getpid()):
            os.kill(child, signal.SIGKILL)

    with pytest.raises(decoding.DecoderLostError, match="a process that decodes pictures was lost") as raised:
        pack(photos, tmp_path / "dest", FRAMING, workers=2, progress=kill_the_first)
    assert raised.value.exit_code == 8
    pack(photos, tmp_path / "dest", FRAMING, workers=1)
    undisturbed(tmp_path / "dest")


def children(pid: int) -> list[int]:
    """The decoding processes: children of the server that this process forks from."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            child, parent = int(path.parent.name), int(path.read_text().rpartition(")")[2].split()[1])
            grandparent = int(Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if grandparent == pid:
            found.append(child)
    return found


@pytest.mark.parametrize("flip", [1, 0x80])
def test_every_flipped_byte_of_a_finished_pack_is_found(tmp_path: Path, flip: int) -> None:
    (tmp_path / "set").mkdir()
    Image.new("RGB", (2, 2), "red").save(tmp_path / "set" / "a.png")
    assert isinstance(pack(tmp_path / "set", tmp_path / "p", Framing(size=2), workers=1), PackResult)
    path = tmp_path / "p" / "images.packed"
    good = path.read_bytes()
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :])
        with pytest.raises(EbganError, match=r"images\.packed"):
            open_data(tmp_path / "p")
