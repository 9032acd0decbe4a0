"""The run folder's names, records and writes."""

import errno
import os
from pathlib import Path

import pytest

from ebgan.errors import StorageError
from ebgan.storage.files import storage_errors, sweep_temporaries, write_atomically
from ebgan.storage.runfolder import RunFolder, append_record, keep_records, read_records


def test_grids_are_listed_oldest_first_and_other_files_passed_over(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for images in (1_000_000_000, 500):
        write_atomically(folder.grid(images), b"")
    (tmp_path / "samples" / "500 copy.png").touch()
    assert folder.grids() == [(500, folder.grid(500)), (1_000_000_000, folder.grid(1_000_000_000))]


def test_records_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "distances.jsonl"
    assert read_records(path) == []
    records = [{"images": 1, "loss": [0.1, 0.2]}, {"images": 2, "note": "line\nend \u2028 é"}]
    for record in records:
        append_record(path, record)
    assert read_records(path) == records


@pytest.mark.parametrize("torn", [b'{"images": 2, "lo', b'{"images": "\xc3', b"\0\0\0\0"])
def test_a_line_torn_by_a_kill_is_left_out_and_hides_nothing(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "stats.jsonl"
    path.write_bytes(b'{"images": 1}\n' + torn)
    assert read_records(path) == [{"images": 1}]
    path.write_bytes(b'{"images": 1}\n' + torn + b'\n{"images": 3}\n')
    assert read_records(path) == [{"images": 1}, {"images": 3}]


def test_keeping_records_drops_later_ones_and_torn_lines_so_that_appending_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "stats.jsonl"
    path.write_text('{"images": 1}\n{"images": 2}\n{"images": 3}\n{"ima')
    keep_records(path, 2)
    append_record(path, {"images": 4})
    assert path.read_text() == '{"images": 1}\n{"images": 2}\n{"images": 4}\n'


def test_keeping_records_of_no_file_makes_none_and_of_a_torn_first_line_empties_it(tmp_path: Path) -> None:
    path = tmp_path / "stats.jsonl"
    keep_records(path, 5)
    assert not path.exists()
    path.write_text('{"ima')
    keep_records(path, 5)
    assert path.read_bytes() == b""


def test_a_write_replaces_the_whole_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    for content in (b"a longer content", b"short"):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_the_file_is_on_the_disk_before_its_name_and_its_name_before_the_write_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append(_kind(fd)), sync(fd)))
    monkeypatch.setattr(os, "replace", lambda *paths: (calls.append("rename"), replace(*paths)))
    write_atomically(tmp_path / "file", b"content")
    assert calls == ["sync file of 7", "rename", "sync folder"]


def _kind(descriptor: int) -> str:
    if Path(f"/proc/self/fd/{descriptor}").is_dir():
        return "sync folder"
    return f"sync file of {os.fstat(descriptor).st_size}"


def test_sweeping_deletes_temporary_files_alone(tmp_path: Path) -> None:
    for name in (".a.ckpt.123.tmp", "a.ckpt", ".hidden"):
        (tmp_path / name).touch()
    sweep_temporaries(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "a.ckpt"]


def test_a_refusal_names_the_path_the_reason_the_bytes_needed_and_those_free(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "folder" / "file"
    message = r"folder/file: could not .* written \(ENOSPC: No space.*\): 12,345 bytes needed, [0-9,]+ bytes free"
    with pytest.raises(StorageError, match=message), storage_errors(path, 12_345):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_refusal_is_told_once_by_the_innermost_path(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"inner: could not be read or written \(EIO"),
        storage_errors(tmp_path / "outer"),
        storage_errors(tmp_path / "inner"),
    ):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_folder_in_the_place_of_a_file_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=str(tmp_path)):
        write_atomically(tmp_path, b"content")
    assert not list(tmp_path.parent.glob(".*.tmp"))
    with pytest.raises(StorageError, match="EISDIR"):
        append_record(tmp_path, {"images": 1})


def test_a_file_in_the_place_of_a_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file/below/name: could not be read or written"):
        write_atomically(tmp_path / "file" / "below" / "name", b"content")
