"""Uploads and downloads, against a fake of the Hub in memory: no test asks a network."""

import importlib
import inspect
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import ebgan
from ebgan.cli.main import run
from ebgan.errors import DataError, UsageError


@dataclass
class CommitOperationAdd:
    """As in huggingface_hub."""

    path_in_repo: str
    path_or_fileobj: str


class Hub:
    """Repositories in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.private, self.tokens = folder, {}, []

    def api(self, token: str | None = None) -> "Hub":
        self.tokens.append(token)
        return self

    def create_repo(self, repo_id: str, *, private: bool, exist_ok: bool) -> str:
        if repo_id.startswith("taken/"):
            raise OSError("403 Forbidden: not yours\nmore lines")
        assert exist_ok
        self.private.setdefault(repo_id, private)
        (self.folder / repo_id).mkdir(parents=True, exist_ok=True)
        return f"https://hub.invalid/{repo_id}"

    def create_commit(self, repo_id: str, operations: list[CommitOperationAdd], *, commit_message: str) -> None:
        assert commit_message
        for each in operations:
            shutil.copy(each.path_or_fileobj, self.folder / repo_id / each.path_in_repo)

    def snapshot_download(
        self, repo_id: str, *, revision: str | None, token: str | None, allow_patterns: list[str]
    ) -> str:
        if not (self.folder / repo_id).is_dir():
            raise OSError(f"404: no {repo_id}")
        self.revision = revision
        there = self.folder / ".cache" / repo_id
        shutil.rmtree(there, ignore_errors=True)
        there.mkdir(parents=True)
        for path in (self.folder / repo_id).iterdir():
            if path.name in allow_patterns:
                shutil.copy(path, there)
        return str(there)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    found = Hub(tmp_path / "hub")
    module = SimpleNamespace(
        HfApi=found.api, CommitOperationAdd=CommitOperationAdd, snapshot_download=found.snapshot_download
    )
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
    return found


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Somebody at a terminal who gives these answers; the questions stand here afterwards."""
    given: list[str] = []
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return given.pop(0)

    monkeypatch.setattr("builtins.input", answer)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    yield given
    assert given == []
    assert all("upload these" in question and "OWNER" not in question for question in asked)


def test_what_was_pushed_is_loaded_from_its_name(trained, hub, caplog):
    made = ebgan.load(trained)
    with caplog.at_level("INFO", "ebgan"):
        assert made.push_to_hub("me/faces", license="mit") == "https://hub.invalid/me/faces"
    assert hub.private == {"me/faces": True}
    there = {path.name for path in (hub.folder / "me/faces").iterdir()}
    assert there == {"config.json", "model.safetensors", "README.md", "samples.png", "normal_energies.json"}
    assert all(f"{name} (" in caplog.text for name in there)
    after = ebgan.from_pretrained("me/faces", revision="main")
    assert torch.equal(after.sample(4, seed=1), made.sample(4, seed=1))
    assert hub.revision == "main"


def test_only_the_files_of_an_export_are_fetched(trained, hub):
    ebgan.load(trained).push_to_hub("me/faces")
    for name in ("pytorch_model.bin", "run.py", "config.yaml"):
        (hub.folder / "me/faces" / name).write_bytes(b"hostile")
    folder = ebgan.from_pretrained("me/faces").folder.path
    assert not {path.name for path in folder.iterdir()} & {"pytorch_model.bin", "run.py", "config.yaml"}


def test_a_token_is_passed_on_and_stands_in_no_file(trained, hub):
    ebgan.load(trained).push_to_hub("me/faces", token="hf_very_secret")
    assert hub.tokens == ["hf_very_secret"]
    assert not [path for path in hub.folder.rglob("*.*") if b"hf_very_secret" in path.read_bytes()]


def test_a_path_is_loaded_without_the_hub(trained, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    ebgan.load(trained).save_pretrained(tmp_path / "out")
    assert ebgan.from_pretrained(tmp_path / "out").seen == 256
    assert ebgan.from_pretrained(str(trained)).seen == 256


def test_without_the_extra_it_says_what_to_install(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UsageError, match=r"pip install 'ebgan\[hub\]'"):
        ebgan.from_pretrained("me/faces")
    assert run(["export", str(trained), str(tmp_path / "out"), "--push", "me/faces", "--yes"]) == 2
    assert "pip install 'ebgan[hub]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["nothing-here", "a/b/c", "../b", "a/..", "https://hub.invalid/a/b", "a/b c"])
def test_what_is_neither_a_folder_nor_a_name_is_refused(hub, name):
    with pytest.raises(UsageError, match="no such folder, and no OWNER/NAME"):
        ebgan.from_pretrained(name)


def test_what_the_hub_refuses_is_said_in_a_line(trained, hub):
    with pytest.raises(DataError, match=r"me/missing: cannot be fetched from the Hugging Face Hub: 404: no me/missing"):
        ebgan.from_pretrained("me/missing")
    with pytest.raises(UsageError, match=r"the Hugging Face Hub refused: 403 Forbidden: not yours$"):
        ebgan.load(trained).push_to_hub("taken/name")


def test_the_command_asks_first(trained, hub, answers, tmp_path, capsys):
    answers += ["", "y"]
    assert run(["export", str(trained), str(tmp_path / "first"), "--push", "me/faces"]) == 0
    assert "nothing was uploaded" in capsys.readouterr().out
    assert not hub.private
    assert run(["export", str(trained), str(tmp_path / "second"), "--push", "me/faces", "--public"]) == 0
    said = capsys.readouterr().out
    assert "model.safetensors" in said
    assert "https://hub.invalid/me/faces" in said
    assert hub.private == {"me/faces": False}


def test_where_nobody_can_be_asked_nothing_is_uploaded_without_yes(trained, hub, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    assert run(["export", str(trained), str(tmp_path / "out"), "--push", "me/faces"]) == 2
    assert "give --yes" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert run(["export", str(trained), str(tmp_path / "out"), "--push", "me/faces", "--yes"]) == 0
    assert hub.private == {"me/faces": True}


def test_the_fake_takes_no_argument_that_the_library_does_not():
    library = pytest.importorskip("huggingface_hub", reason="not of the extras that the tests need")
    fakes = [(library.HfApi.create_repo, Hub.create_repo), (library.HfApi.create_commit, Hub.create_commit)]
    for real, fake in [*fakes, (library.snapshot_download, Hub.snapshot_download)]:
        assert set(inspect.signature(fake).parameters) - {"self"} <= set(inspect.signature(real).parameters)
    add = importlib.import_module("huggingface_hub").CommitOperationAdd
    assert set(inspect.signature(CommitOperationAdd).parameters) <= set(inspect.signature(add).parameters)
