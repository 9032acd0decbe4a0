"""No damage to a checkpoint file goes unseen, and an older file takes its place."""

import pickle
from pathlib import Path

import pytest
import torch

from ebgan.errors import CheckpointError
from ebgan.sealed import decode
from ebgan.training.checkpoint import Checkpoint, newest, publish

BEGINNING = 99  # bytes up to the end of the seal


def checkpoint(images: int) -> Checkpoint:
    tensors = {"weight": torch.full((3,), float(images)), "seen": torch.tensor(images), "on": torch.tensor(True)}
    return Checkpoint(images, images, "c0ffee", tensors, {"k": 0.5})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for images in (10, 20):
        publish(tmp_path, checkpoint(images))
    return tmp_path


def assert_falls_back(folder: Path, because: str = "") -> None:
    found = newest(folder)
    assert found is not None
    older, warnings = found
    assert older.images == 10
    assert torch.equal(older.tensors["weight"], torch.full((3,), 10.0))
    assert len(warnings) == 1
    assert str(folder / "000000000020.ckpt") in warnings[0]
    assert because in warnings[0]


def test_every_flipped_bit_of_every_byte_is_detected(folder: Path) -> None:
    content = (folder / "000000000020.ckpt").read_bytes()
    for place in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            with pytest.raises(CheckpointError):
                decode(bytes(damaged), Path("damaged"))


def test_training_falls_back_whichever_byte_was_flipped(folder: Path) -> None:
    path = folder / "000000000020.ckpt"
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        assert_falls_back(folder)


def test_training_falls_back_wherever_the_file_was_cut_off(folder: Path) -> None:
    path = folder / "000000000020.ckpt"
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert_falls_back(folder, because=f"{length:,} bytes" if length >= BEGINNING else "does not begin")


@pytest.mark.parametrize("more", [b"\0", b"\n", b"more"])
def test_a_byte_too_many_is_detected(folder: Path, more: bytes) -> None:
    with (folder / "000000000020.ckpt").open("ab") as file:
        file.write(more)
    assert_falls_back(folder)


def test_a_newer_file_with_an_older_ones_content_is_passed_over(folder: Path) -> None:
    (folder / "000000000020.ckpt").write_bytes((folder / "000000000010.ckpt").read_bytes())
    assert_falls_back(folder)


def test_two_swapped_files_are_both_refused(folder: Path) -> None:
    older, newer = folder / "000000000010.ckpt", folder / "000000000020.ckpt"
    older.rename(folder / "aside")
    newer.rename(older)
    (folder / "aside").rename(newer)
    with pytest.raises(
        CheckpointError, match=r"no valid checkpoint.*000000000020.*000000000010.*delete the run's folder"
    ):
        newest(folder)


def test_a_folder_in_the_place_of_a_file_is_passed_over(folder: Path) -> None:
    (folder / "000000000020.ckpt").unlink()
    (folder / "000000000020.ckpt").mkdir()
    assert_falls_back(folder)


def test_files_of_which_none_is_valid_are_an_error_and_not_a_fresh_start(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"000000000020\.ckpt.*000000000010\.ckpt"):
        newest(folder)


def test_the_next_save_mends_a_damaged_file(folder: Path) -> None:
    (folder / "000000000020.ckpt").write_bytes(b"damaged")
    publish(folder, checkpoint(20))
    found = newest(folder)
    assert found is not None
    assert (found[0].images, found[1]) == (20, [])


def test_no_name_in_a_file_reaches_an_importer(folder: Path) -> None:
    """A pickle in a checkpoint's place is refused, not run."""

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, (f"open({str(folder / 'sprung')!r}, 'w')",)

    (folder / "000000000020.ckpt").write_bytes(pickle.dumps(Trap()))
    assert_falls_back(folder)
    assert not (folder / "sprung").exists()
