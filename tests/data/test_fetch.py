import hashlib
import io
import socket
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ebgan.data import fetch
from ebgan.data.mirrors import MIRRORS, Remote
from ebgan.errors import DataError, StorageError

CONTENT = bytes(range(256)) * 40
MD5 = hashlib.md5(CONTENT).hexdigest()


class Mirror(BaseHTTPRequestHandler):
    """Serves the server's content; the first part of the path says how badly."""

    def do_GET(self):
        behaviour = self.path.split("/")[1]
        self.server.seen.append((behaviour, self.headers.get("Range")))
        if behaviour == "missing":
            return self.send_error(404)
        content = b"<html>Log in to this network</html>" if behaviour == "wrong" else self.server.content
        start = 0 if behaviour in ("wrong", "rangeless") else self.wanted_start()
        if start and start >= len(content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        drops = behaviour in ("dead", "rangeless") or (behaviour == "drop" and not start)
        return self.wfile.write(content[start : (len(content) + start) // 2 if drops else None])

    def wanted_start(self):
        return int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        server.content, server.seen = CONTENT, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def get(server, tmp_path):
    """Fetch the file `set.bin` from mirrors that behave in the given ways."""

    def get(*behaviours, progress=None, **fields):
        urls = tuple(f"http://127.0.0.1:{server.server_port}/{behaviour}/set.bin" for behaviour in behaviours)
        remote = Remote(**{"name": "set.bin", "md5": MD5, "urls": urls, **fields})
        return fetch("toy", tmp_path, progress, {"toy": (remote,)})

    return get


def test_a_file_is_downloaded_once_and_reports_its_progress(get, server, tmp_path):
    reports = []
    assert get("good", progress=lambda *report: reports.append(report)) == [tmp_path / "set.bin"]
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert reports[-1] == ("set.bin", len(CONTENT), len(CONTENT))
    get("good")
    assert server.seen == [("good", None)]
    assert list(tmp_path.iterdir()) == [tmp_path / "set.bin"]


def test_a_dropped_connection_goes_on_where_it_stopped(get, server, tmp_path):
    get("drop")
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert server.seen == [("drop", None), ("drop", f"bytes={len(CONTENT) // 2}-")]


def test_what_one_mirror_began_another_finishes(get, server, tmp_path):
    get("rangeless", "good")
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert server.seen[-1] == ("good", f"bytes={len(CONTENT) // 2}-")


def test_a_download_that_was_killed_is_resumed(get, server, tmp_path):
    (tmp_path / "set.bin.part").write_bytes(CONTENT[:7000])
    get("good")
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert server.seen == [("good", "bytes=7000-")]


@pytest.mark.parametrize("part", [CONTENT, CONTENT + b"more", b"other" * 100])
def test_a_part_that_is_whole_too_long_or_of_another_file_does_no_harm(get, tmp_path, part):
    (tmp_path / "set.bin.part").write_bytes(part)
    get("good")
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_missing_and_wrong_files_pass_on_to_the_next_mirror(get, server, tmp_path):
    get("missing", "wrong", "good")
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert [behaviour for behaviour, _ in server.seen] == ["missing", "wrong", "good"]


def test_when_every_mirror_fails_each_is_named_with_its_reason(get, tmp_path):
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        refused = f"http://127.0.0.1:{unheard.getsockname()[1]}/set.bin"
    with pytest.raises(DataError) as failure:
        get("missing", "wrong", "rangeless")
    message = str(failure.value)
    assert "/missing/set.bin: HTTP 404" in message
    assert "/wrong/set.bin: not the right file" in message
    assert "/rangeless/set.bin: the connection ended after 5,120 of 10,240 bytes" in message
    assert f"MD5 {MD5}), put it into {tmp_path} and run `ebgan data get toy`" in message
    with pytest.raises(DataError, match="Connection refused"):
        get(urls=(refused,))
    assert not (tmp_path / "set.bin").exists()


def test_a_file_of_that_name_with_other_contents_is_replaced(get, tmp_path):
    (tmp_path / "set.bin").write_text("torn")
    get("good")
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_a_full_disk_is_told_as_such_and_no_other_mirror_is_asked(get, server, tmp_path):
    (tmp_path / "set.bin.part").mkdir()  # stands for any refusal of the file system
    with pytest.raises(StorageError, match=r"set\.bin\.part"):
        get("good", "good")
    assert len(server.seen) == 1


def archive(**members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name.replace("__", "/"))
            if content is None:
                entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
            else:
                entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content or b""))
    return file.getvalue()


def test_of_an_archive_the_members_alone_are_kept(get, server, tmp_path):
    server.content = archive(toy__a=b"first", toy__b=b"second", **{"..__outside": b"escaped"})
    fields = {"name": "toy.tar.gz", "md5": hashlib.md5(server.content).hexdigest(), "members": ("toy/a", "toy/b")}
    folder = tmp_path / "toy"
    urls = (f"http://127.0.0.1:{server.server_port}/good/toy.tar.gz",)
    for _ in range(2):
        fetch("toy", folder, mirrors={"toy": (Remote(urls=urls, **fields),)})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a": b"first", "b": b"second"}
    assert list(tmp_path.iterdir()) == [folder]
    assert len(server.seen) == 1


@pytest.mark.parametrize("members", [{"toy__a": b"first"}, {"toy__a": b"first", "toy__b": None}])
def test_an_archive_without_a_member_or_with_a_link_for_it_is_refused(get, server, tmp_path, members):
    server.content = archive(**members)
    with pytest.raises(DataError, match=r"set\.bin"):
        get("good", md5=hashlib.md5(server.content).hexdigest(), members=("toy/a", "toy/b"))
    assert not (tmp_path / "b").exists()


def test_an_unknown_set_lists_the_known_ones(tmp_path):
    with pytest.raises(DataError, match="mnist, fashion_mnist, cifar10, svhn"):
        fetch("imagenet", tmp_path)


def test_the_checksums_are_those_of_the_real_mnist(real_mnist):
    for remote in MIRRORS["mnist"]:
        assert hashlib.md5((real_mnist / remote.name).read_bytes()).hexdigest() == remote.md5


def test_every_remote_file_has_urls_of_its_name_and_a_checksum():
    for remote in (remote for remotes in MIRRORS.values() for remote in remotes):
        assert len(remote.urls) >= 2
        assert all(url.endswith(remote.name) for url in remote.urls)
        assert len(bytes.fromhex(remote.md5)) == 16
