import errno
import logging
import os
import pickle
import shutil
import signal
import tarfile
import threading
import time
import zipfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.data import cache_folder, folder, open_data, packed, picture_cache
from ebgan.data.cache_folder import LIMIT, NO_CACHE, CacheFolder
from ebgan.data.store import Attempt
from ebgan.data.tree import Tree
from ebgan.errors import UsageError

NAMES = ("cat/a.png", "cat/b.png", "dog/c.png", "dog/d.png")
RANDOM = np.random.default_rng(6)


@pytest.fixture(autouse=True)
def decoded(tmp_path, monkeypatch):
    """Even small and new sets are kept, in a cache folder of the test; the list has a size for each decoding."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for variable in (NO_CACHE, LIMIT):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(picture_cache, "_FEWEST", 1)
    monkeypatch.setattr(picture_cache, "_SETTLED", -60.0)
    decodings, decode = [], folder._decode

    def counted(listing, size, **how):
        decodings.append(size)
        return decode(listing, size, **how)

    monkeypatch.setattr(folder, "_decode", counted)
    yield decodings
    for descriptor in cache_folder._in_use.values():
        os.close(descriptor)
    cache_folder._in_use.clear()


@pytest.fixture
def tree(tmp_path):
    for name in NAMES:
        draw(tmp_path / "set" / name)
    return tmp_path / "set"


@pytest.fixture
def archive(tree):
    return zipped(tree, tree.parent / "set.zip")


def draw(path, shape=(8, 8, 3)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RANDOM.integers(0, 256, shape, dtype=np.uint8)).save(path, format="PNG")


def zipped(tree, path):
    with zipfile.ZipFile(path, "w") as archive:
        for name in NAMES:
            archive.write(tree / name, name)
    return path


def same(one, other):
    np.testing.assert_array_equal(one.images, other.images)
    assert (one.names, one.classes, one.name) == (other.names, other.classes, other.name)
    assert (one.labels is None) == (other.labels is None)
    assert one.labels is None or one.labels.tolist() == other.labels.tolist()
    assert one.checksum == other.checksum


def kept():
    return sorted(CacheFolder.of_the_user().path.glob("*.packed"))


@pytest.mark.parametrize("kind", ["tree", "archive", "tar"])
def test_pictures_are_decoded_once(kind, tree, archive, decoded):
    with tarfile.open(tree.parent / "set.tar", "w") as tar:
        tar.add(tree, "set")
    source = {"tree": tree, "archive": archive, "tar": tree.parent / "set.tar"}[kind]
    first, second = open_data(source, size=8), open_data(source, size=8)
    assert decoded == [8]
    assert (first.path, second.path) == (None, kept()[0])
    same(first, second)


def test_a_zip_is_known_by_its_contents_wherever_it_lies(archive, tmp_path, decoded):
    first = open_data(archive, size=8)
    other = Path(shutil.move(archive, tmp_path / "other.zip"))
    os.utime(other, (1, 1))
    moved = open_data(other, size=8)
    assert (decoded, moved.name) == ([8], "other.zip")
    np.testing.assert_array_equal(first.images, moved.images)


def test_a_changed_picture_in_a_zip_is_seen_even_if_its_time_is_kept(archive, tree, decoded):
    first, before = open_data(archive, size=8), archive.stat()
    draw(tree / NAMES[0])
    os.utime(zipped(tree, archive), ns=(before.st_atime_ns, before.st_mtime_ns))
    second = open_data(archive, size=8)
    np.testing.assert_array_equal(second.images, open_data(tree, size=8).images)
    assert not np.array_equal(first.images, second.images)


def test_a_changed_picture_in_a_folder_is_seen_even_if_size_and_time_are_kept(tree, decoded):
    for path in (tree / name for name in NAMES):
        Image.fromarray(RANDOM.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(path, format="BMP")
    first, before = open_data(tree, size=8), (tree / NAMES[0]).stat()
    pixels = RANDOM.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tree / NAMES[0], format="BMP")
    os.utime(tree / NAMES[0], ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (tree / NAMES[0]).stat().st_size == before.st_size
    second = open_data(tree, size=8)
    np.testing.assert_array_equal(second.images[0], pixels.transpose(2, 0, 1))
    np.testing.assert_array_equal(second.images[1:], first.images[1:])


@pytest.mark.parametrize("change", ["added", "removed", "renamed"])
def test_other_files_are_another_set(change, tree, decoded):
    open_data(tree, size=8)
    if change == "added":
        draw(tree / "dog" / "e.png")
    elif change == "removed":
        (tree / NAMES[0]).unlink()
    else:
        (tree / NAMES[0]).rename(tree / "dog" / "z.png")
    names = open_data(tree, size=8).names
    expected = {"added": (*NAMES, "dog/e.png"), "removed": NAMES[1:], "renamed": (*NAMES[1:], "dog/z.png")}
    assert (names, decoded) == (expected[change], [8, 8])


def test_size_and_channels_are_told_apart(tree, decoded):
    for options in ({"size": 8}, {"size": 4}, {"size": 8, "channels": 1}, {"size": 8, "channels": 3}) * 2:
        assert open_data(tree, **options).shape == (options.get("channels", 3), options["size"], options["size"])
    assert decoded == [8, 4, 8, 8]


def test_white_points_are_told_apart_and_dark_levels_are_named_from_the_cache_too(tmp_path, decoded):
    (tmp_path / "deep").mkdir()
    levels = np.linspace(0, 4095, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(levels).save(tmp_path / "deep" / "a.png")
    for _ in range(2):
        dark, bright = open_data(tmp_path / "deep", size=8), open_data(tmp_path / "deep", size=8, white=4095)
        assert (dark.images.max(), bright.images.max()) == (16, 255)
        assert "--data.white 4095" in dark.notes[-1]
    assert decoded == [8, 8]


def test_splits_are_told_apart(tree, tmp_path, decoded):
    for split in ("train", "test"):
        shutil.copytree(tree / "cat", tmp_path / "both" / split)
    draw(tmp_path / "both" / "test" / "more.png")
    for _ in range(2):
        assert len(open_data(tmp_path / "both", size=8)) == 2
        assert len(open_data(tmp_path / "both", size=8, split="test")) == 3
    assert decoded == [8, 8]


@pytest.mark.parametrize(("value", "decodings"), [("1", 2), ("yes", 2), ("0", 1), ("", 1)])
def test_no_cache_reads_and_writes_nothing(value, decodings, tree, decoded, monkeypatch):
    monkeypatch.setenv(NO_CACHE, value)
    for _ in range(2):
        open_data(tree, size=8)
    assert (len(decoded), len(kept())) == (decodings, 2 - decodings)


def test_a_small_set_is_not_kept(tree, decoded, monkeypatch):
    monkeypatch.setattr(picture_cache, "_FEWEST", len(NAMES) + 1)
    open_data(tree, size=8)
    assert not CacheFolder.of_the_user().path.exists()
    monkeypatch.setattr(picture_cache, "_LEAST", 100)
    open_data(tree, size=8)
    assert len(kept()) == 1


def test_files_that_were_changed_a_moment_ago_are_not_kept_but_in_a_zip(tree, archive, decoded, monkeypatch, caplog):
    monkeypatch.setattr(picture_cache, "_SETTLED", 3600.0)
    with caplog.at_level(logging.INFO):
        open_data(tree, size=8)
    assert "not cached: files were changed a moment ago" in caplog.text
    assert not kept()
    open_data(archive, size=8)
    assert len(kept()) == 1


@pytest.mark.parametrize("place", [5, 100, 64 + 4 * 192, -200, -50, -3])
def test_a_damaged_file_is_found_and_made_again(place, archive, decoded, caplog):
    first = open_data(archive, size=8)
    content = bytearray(kept()[0].read_bytes())
    content[place] ^= 1
    kept()[0].write_bytes(content)
    same(first, open_data(archive, size=8))
    assert "decoded again" in caplog.text
    same(first, open_data(archive, size=8))
    assert decoded == [8, 8]


@pytest.mark.parametrize("length", [0, 10, 64, 500])
def test_a_file_that_is_cut_short_is_made_again(length, archive, decoded):
    first = open_data(archive, size=8)
    os.truncate(kept()[0], length)
    for _ in range(2):
        same(first, open_data(archive, size=8))
    assert decoded == [8, 8]


def test_files_that_cannot_be_decoded_are_named_each_time(tree, decoded, caplog):
    (tree / "dog" / "notes.png").write_text("no picture")
    for _ in range(2):
        caplog.clear()
        assert open_data(tree, size=8).names == NAMES
        assert "dog/notes.png: cannot identify image file" in caplog.text
    assert decoded == [8]


def test_what_hindered_a_file_for_a_moment_is_not_kept(tree, decoded, monkeypatch):
    attempt = Tree.attempt

    def failing(self, entry, size, *how):
        busy = Attempt(None, False, 0, os.strerror(errno.EMFILE))
        return busy if entry.name == NAMES[1] else attempt(self, entry, size, *how)

    with monkeypatch.context() as patched:
        patched.setattr(Tree, "attempt", failing)
        assert len(open_data(tree, size=8)) == 3
    for _ in range(2):
        assert open_data(tree, size=8).names == NAMES
    assert decoded == [8, 8]


def test_files_that_change_while_they_are_decoded_are_not_kept(tree, decoded, monkeypatch):
    decode = folder._decode

    def changing(listing, **how):
        pictures = decode(listing, **how)
        draw(tree / NAMES[0])
        return pictures

    monkeypatch.setattr(folder, "_decode", changing)
    open_data(tree, size=8)
    assert not kept()


def test_odd_files_are_as_they_are_without_the_cache(tree, decoded):
    draw(tree / "dog" / "odd\udcff.png")
    draw(tree / "dog" / "new\nline.png")
    (tree / "dog" / "empty.png").touch()
    (tree / "dog" / "broken.png").symlink_to("nowhere.png")
    (tree / "dog" / "link.png").symlink_to(tree / NAMES[0])
    os.mkfifo(tree / "dog" / "pipe.png")
    first = open_data(tree, size=8)
    same(first, open_data(tree, size=8))
    assert (len(first), decoded) == (7, [8])


def test_what_is_no_packed_file_in_the_cache_is_passed_by(archive, decoded):
    first = open_data(archive, size=8)
    kept()[0].unlink()
    os.mkfifo(kept_of(archive))
    for _ in range(2):
        same(first, open_data(archive, size=8))
    assert decoded == [8, 8]


def test_the_file_of_another_set_is_not_taken(archive, tree, decoded):
    open_data(archive, size=8)
    draw(tree / NAMES[0])
    other = open_data(tree, size=8)
    shutil.copy(kept_of(archive), next(path for path in kept() if path != kept_of(archive)))
    same(other, open_data(tree, size=8))
    assert decoded == [8, 8, 8]


def test_a_zip_with_a_name_twice_is_not_kept(archive, decoded):
    with zipfile.ZipFile(archive, "a") as more, pytest.warns(UserWarning, match="Duplicate"):
        more.writestr(NAMES[0], b"no picture")
    assert len(open_data(archive, size=8)) == 4
    assert not kept()


def test_what_is_done_is_said_in_a_line_each(archive, decoded, caplog):
    caplog.set_level(logging.INFO)
    open_data(archive, size=8)
    assert [record.message for record in caplog.records] == [
        f"set.zip: decoding 4 pictures, cached in {kept()[0].parent} (EBGAN_NO_CACHE=1 turns this off)"
    ]
    picture_cache._announced.clear()
    caplog.clear()
    for _ in range(3):
        open_data(archive, size=8)
    assert [record.message for record in caplog.records] == [f"set.zip: 4 decoded pictures from the cache, {kept()[0]}"]


def sets(tree, tmp_path, count):
    """Zips with other pictures each, one after the other in the cache, which no process uses."""
    for place in range(count):
        draw(tree / NAMES[0])
        open_data(zipped(tree, tmp_path / f"{place}.zip"), size=8)
        os.utime(kept_of(tmp_path / f"{place}.zip"), (place + 1, place + 1))
    return [tmp_path / f"{place}.zip" for place in range(count)]


def kept_of(archive):
    """The file of the cache with the pictures of an archive."""

    def decode(listing):
        raise AssertionError

    request = picture_cache._Request(8, None, lambda: None, decode)
    key = picture_cache._identify(folder.list_pictures(archive), request).key
    return CacheFolder.of_the_user().file(key)


def test_those_used_longest_ago_make_room(tree, tmp_path, decoded, monkeypatch):
    first, second, third = sets(tree, tmp_path, 3)
    size = kept()[0].stat().st_size
    os.utime(kept_of(first))  # as a use does
    monkeypatch.setenv(LIMIT, str(3.5 * size / 1e9))
    draw(tree / NAMES[0])
    open_data(zipped(tree, tmp_path / "new.zip"), size=8)
    there = {name.stem for name in (first, second, third, tmp_path / "new.zip") if kept_of(name).exists()}
    assert there == {"0", "2", "new"}
    assert len(list(kept()[0].parent.glob("*.lock"))) == 3


def test_a_use_is_noted(archive, decoded):
    open_data(archive, size=8)
    os.utime(kept()[0], (1, 1))
    open_data(archive, size=8)
    assert time.time() - kept()[0].stat().st_mtime < 60


def test_a_file_in_use_is_not_deleted(tree, tmp_path, decoded, monkeypatch, caplog):
    first, second = sets(tree, tmp_path, 2)
    used = open_data(first, size=8)
    os.utime(kept_of(first), (1, 1))
    monkeypatch.setenv(LIMIT, str(1.5 * kept()[0].stat().st_size / 1e9))
    draw(tree / NAMES[0])
    with caplog.at_level(logging.INFO):
        open_data(zipped(tree, tmp_path / "new.zip"), size=8)
    assert (kept_of(first).exists(), kept_of(second).exists(), kept_of(tmp_path / "new.zip").exists()) == (1, 0, 0)
    assert "do not fit: other files are in use" in caplog.text
    assert used.images.sum() > 0


def test_a_set_that_is_larger_than_the_limit_is_not_kept_and_nothing_is_deleted(
    tree, tmp_path, decoded, monkeypatch, caplog
):
    (first,) = sets(tree, tmp_path, 1)
    monkeypatch.setenv(LIMIT, "0.0000001")
    draw(tree / NAMES[0])
    with caplog.at_level(logging.INFO):
        open_data(tree, size=8)
    assert "more than the cache may take: EBGAN_CACHE_GB is 1e-07" in caplog.text
    assert kept() == [kept_of(first)]


def test_a_disk_is_not_filled(tree, tmp_path, decoded, monkeypatch, caplog):
    sets(tree, tmp_path, 1)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(cache_folder.shutil, "disk_usage", lambda path: usage(1 << 40, 1 << 40, 1 << 20))
    draw(tree / NAMES[0])
    with caplog.at_level(logging.INFO):
        open_data(tree, size=8)
    assert "the disk is nearly full" in caplog.text
    assert len(kept()) == 1


@pytest.mark.parametrize("limit", ["much", "-1", "nan", "inf"])
def test_a_limit_that_is_no_number_is_refused(limit, tree, monkeypatch):
    monkeypatch.setenv(LIMIT, limit)
    with pytest.raises(UsageError, match=f"EBGAN_CACHE_GB={limit}: expected a number of GB"):
        open_data(tree, size=8)


@pytest.mark.parametrize("blocked", ["cache", "cache/ebgan/pictures"])
def test_a_cache_that_cannot_be_written_to_costs_nothing_but_time(blocked, tree, tmp_path, decoded, caplog):
    (tmp_path / blocked).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / blocked).write_text("a file")
    assert len(open_data(tree, size=8)) == 4
    assert "decoded pictures could not be kept" in caplog.text


def test_a_disk_that_refuses_costs_nothing_but_time(tree, decoded, monkeypatch, caplog):
    def refuse(path, packed):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(picture_cache, "write_packed", refuse)
    assert len(open_data(tree, size=8)) == 4
    assert "No space left" in caplog.text
    assert decoded == [8]


def test_of_two_at_once_one_decodes_and_the_other_waits(archive, decoded, monkeypatch):
    decode, found = folder._decode, []

    def slow(listing, **how):
        time.sleep(0.3)
        return decode(listing, **how)

    monkeypatch.setattr(folder, "_decode", slow)
    threads = [threading.Thread(target=lambda: found.append(open_data(archive, size=8))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert decoded == [8]
    for other in found[1:]:
        same(found[0], other)


def test_nobody_waits_for_ever(archive, decoded, monkeypatch):
    monkeypatch.setattr(cache_folder, "_PATIENCE", 0.2)
    open_data(archive, size=8)
    key = kept()[0].stem
    kept()[0].unlink()
    with CacheFolder.of_the_user().making(key):
        assert len(open_data(archive, size=8)) == 4
    assert decoded == [8, 8]


def test_what_a_killed_process_left_is_deleted_and_what_another_writes_is_not(archive, tree, decoded):
    open_data(archive, size=8)
    home = CacheFolder.of_the_user()
    left, written = home.path / ".dead.packed.1.tmp", home.path / ".alive.packed.2.tmp"
    left.write_bytes(b"half")
    (home.path / "dead.lock").touch()
    with home.making("alive"):
        written.write_bytes(b"half")
        open_data(tree, size=8)
        assert (left.exists(), written.exists()) == (False, True)
    open_data(tree, size=4)
    assert not written.exists()


def test_a_killed_process_holds_nobody_up_and_leaves_nothing(archive, decoded, monkeypatch):
    child = os.fork()
    if not child:
        monkeypatch.setattr(packed, "finish_packed", lambda *_: time.sleep(60))
        open_data(archive, size=8)
        os._exit(1)
    home = CacheFolder.of_the_user().path
    while not list(home.glob(".*.tmp")):
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for _ in range(2):
        open_data(archive, size=8)
    assert (decoded, sorted(path.suffix for path in home.iterdir())) == ([8], [".lock", ".packed"])


def test_another_process_gets_the_file_and_not_the_pixels(archive, decoded):
    open_data(archive, size=8)
    found = open_data(archive, size=8)
    sent = pickle.dumps(found)
    assert len(sent) < found.images.size
    np.testing.assert_array_equal(pickle.loads(sent).images, found.images)
    assert pickle.loads(sent).classes == found.classes
