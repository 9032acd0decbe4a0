"""Download the files of a named set from several mirrors, with resumed downloads and checksums.

A download is written to a `.part` file and renamed once its checksum is right.
"""

from __future__ import annotations

import hashlib
import http.client
import tarfile
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.error import HTTPError

from ebgan.data.mirrors import MIRRORS, Remote
from ebgan.errors import DataError, StorageError
from ebgan.storage.files import storage_errors, write_atomically

Progress = Callable[[str, int, int | None], None]  # file name, bytes received, bytes in all if known

_ATTEMPTS = 3  # at each mirror; a dropped download goes on where it stopped
_TIMEOUT = 30.0  # seconds without a byte
_CHUNK = 1 << 18
_LARGEST_MEMBER = 1 << 28  # bytes of one file within an archive


def fetch(
    name: str,
    folder: Path,
    progress: Progress | None = None,
    mirrors: Mapping[str, tuple[Remote, ...]] = MIRRORS,
) -> list[Path]:
    """Download the files of a named set into a folder, except those already there, and return their paths.

    Raises DataError for an unknown name, and with each mirror's failure if none served a file; StorageError if a file
    cannot be written.
    """
    if name not in mirrors:
        raise DataError(f"{name}: not a set that can be fetched; these can: {', '.join(mirrors)}")
    return [path for remote in mirrors[name] for path in _obtain(name, remote, folder, progress)]


def _obtain(name: str, remote: Remote, folder: Path, progress: Progress | None) -> list[Path]:
    path = folder / remote.name
    wanted = [folder / Path(member).name for member in remote.members] or [path]
    if remote.members and all(member.is_file() for member in wanted):
        return wanted  # members are written atomically, from a verified archive
    if not _verified(path, remote):
        _download(name, remote, path, progress)
    if remote.members:
        _unpack(path, remote, wanted)
    return wanted


def _download(name: str, remote: Remote, path: Path, progress: Progress | None) -> None:
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    failures = []
    for url in remote.urls:
        failure = _try_mirror(url, remote, part, progress)
        if failure is None:
            with storage_errors(path):
                part.replace(path)
            return
        failures.append(f"  {url}: {failure}")
    reasons = "\n".join(failures)
    raise DataError(
        f"{remote.name} could not be downloaded:\n{reasons}\n"
        f"Try again later, or get the file by other means (MD5 {remote.md5}), put it into {path.parent} "
        f"and run `ebgan data get {name}` again, which verifies it."
    )


def _try_mirror(url: str, remote: Remote, part: Path, progress: Progress | None) -> str | None:
    """Download to `part` from one mirror. Returns None if it succeeded, else the reason."""
    failure = ""
    for _ in range(_ATTEMPTS):
        resumed = part.exists()
        try:
            _receive(url, remote.name, part, progress)
        except StorageError:
            raise
        except HTTPError as error:
            failure = f"HTTP {error.code} {error.reason}"
            if error.code != 416:  # range not satisfiable: `part` is complete, or longer than the file
                return failure
        except (OSError, http.client.HTTPException, ValueError) as error:
            failure = str(error) or type(error).__name__
            continue
        if _verified(part, remote):
            return None
        part.unlink()
        failure = "not the right file: its checksum differs"
        if not resumed:
            break
    return failure


def _receive(url: str, name: str, part: Path, progress: Progress | None) -> None:
    """Append the rest of the file to `part`. Raises OSError or HTTPException if the connection fails or ends early."""
    here = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "ebgan", "Accept-Encoding": "identity"})
    if here:
        request.add_header("Range", f"bytes={here}-")
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
        here = here if response.status == 206 else 0  # a server may ignore the range and send all
        length = response.headers.get("Content-Length")
        total = here + int(length) if length else None
        _save(response, part, here, lambda done: progress(name, done, total) if progress else None)
    if total is not None and part.stat().st_size < total:
        raise ConnectionError(f"the connection ended after {part.stat().st_size:,} of {total:,} bytes")


def _save(response: http.client.HTTPResponse, part: Path, here: int, report: Callable[[int], None]) -> None:
    with storage_errors(part):
        file = part.open("ab" if here else "wb")
    with file:
        while chunk := response.read1(_CHUNK):
            with storage_errors(part, len(chunk)):
                file.write(chunk)
                file.flush()
            here += len(chunk)
            report(here)


def _verified(path: Path, remote: Remote) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest() == remote.md5


def _unpack(archive: Path, remote: Remote, wanted: list[Path]) -> None:
    """Write the members to the paths `wanted`, never to paths named by the archive, and remove the archive."""
    try:
        with tarfile.open(archive) as tar:
            for member, path in zip(remote.members, wanted, strict=True):
                file = tar.extractfile(member)
                if file is None or tar.getmember(member).size > _LARGEST_MEMBER:
                    raise DataError(f"{archive}: {member} is not a regular file, or too large")
                write_atomically(path, file.read())
    except (KeyError, tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(f"{archive}: could not be unpacked ({error}). Remove it and fetch it again.") from error
    archive.unlink()
