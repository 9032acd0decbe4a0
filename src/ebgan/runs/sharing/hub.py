"""Exported runs on the Hugging Face Hub, by `huggingface_hub` (extra `hub`), which asks no other host."""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ebgan.errors import DataError, UsageError
from ebgan.experiment import Precision
from ebgan.extras import needed
from ebgan.runs.loading import load
from ebgan.runs.sharing.contents import FILES
from ebgan.runs.sharing.export import export

if TYPE_CHECKING:
    from ebgan.runs.run import Run

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")


def from_pretrained(
    name: str | Path,
    *,
    revision: str | None = None,
    token: str | None = None,
    device: torch.device | str | None = None,
    precision: Precision = "fp32",
    code: str | Path | Sequence[str | Path] = (),
) -> Run:
    """Load an exported run, or a run folder, from a path, or from OWNER/NAME of the Hugging Face Hub.

    Of the Hub's page only the files of an export are fetched, none of which can name code to run. `revision` is a
    branch, tag or commit of it. Raises UsageError and CheckpointError as `ebgan.load` does, and DataError for a page
    that cannot be fetched.
    """
    folder = Path(name).expanduser()
    if not folder.exists():
        folder = fetched(str(name), revision, token)
    return load(folder, device=device, precision=precision, code=code)


def fetched(name: str, revision: str | None = None, token: str | None = None) -> Path:
    """The folder in the user's cache with the files of an export on the Hub."""
    if not is_name(name):
        raise UsageError(f"{name}: no such folder, and no OWNER/NAME of the Hugging Face Hub")
    hub = _hub()
    try:
        return Path(hub.snapshot_download(name, revision=revision, token=token, allow_patterns=list(FILES)))
    except Exception as error:  # of httpx or of the hub's own: the classes change between its versions
        raise DataError(f"{name}: cannot be fetched from the Hugging Face Hub: {_first_line(error)}") from error


def push(run: Run, repository: str, *, license: str, private: bool, token: str | None) -> str:
    """Upload a run, as `Run.push_to_hub` says."""
    check_name(repository)
    with tempfile.TemporaryDirectory() as folder:
        files = export(run, Path(folder) / "export", license=license)
        return upload(files, repository, private=private, token=token)


def upload(files: Sequence[Path], repository: str, *, private: bool, token: str | None = None) -> str:
    """Upload files of an export into one commit of OWNER/NAME, which is made if it is not there."""
    check_name(repository)
    hub = _hub()
    names = ", ".join(f"{path.name} ({path.stat().st_size:,} bytes)" for path in files)
    logger.info("uploading to %s (%s): %s", repository, "private" if private else "public", names)
    try:
        api = hub.HfApi(token=token)
        page = api.create_repo(repository, private=private, exist_ok=True)
        api.create_commit(
            repository,
            [hub.CommitOperationAdd(path_in_repo=path.name, path_or_fileobj=str(path)) for path in files],
            commit_message="Export of a run by ebgan",
        )
    except Exception as error:
        raise UsageError(f"{repository}: the Hugging Face Hub refused: {_first_line(error)}") from error
    return str(page)


def check_name(name: str) -> None:
    """Raise UsageError for what is no OWNER/NAME."""
    if not is_name(name):
        raise UsageError(f"{name}: expected OWNER/NAME, as the Hugging Face Hub names its pages")


def is_name(name: str) -> bool:
    """Whether a name is of the form OWNER/NAME."""
    return _NAME.fullmatch(name) is not None and ".." not in name


def _hub() -> Any:
    return needed("huggingface_hub", "hub")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
