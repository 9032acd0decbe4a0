"""`ebgan doctor` and `ebgan --version`: a screen for a bug report, which nothing that is missing keeps from coming."""

import importlib.metadata
import json
import subprocess
import sys
import time

import pytest
import torch

from ebgan.cli import doctor
from ebgan.cli.main import run


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SECONDS", 0.01)


def reported(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    assert run(["doctor", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_screen_has_a_line_for_each_check(capsys) -> None:
    assert run(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [name.replace("_", " ") for name in doctor.CHECKS]
    assert [line[:12].strip() for line in lines[: len(names)]] == names
    assert "failed" not in "".join(lines)
    assert max(map(len, lines[:-1])) < 200


def test_the_report_says_what_is_here(capsys, monkeypatch) -> None:
    monkeypatch.setattr("ebgan.experiment.precision.processor_multiplies_bf16", lambda: False)
    found = reported(capsys)
    assert list(found) == [*doctor.CHECKS, "warnings"]
    assert found["versions"]["ebgan"] == importlib.metadata.version("ebgan")
    assert found["torch"]["version"] == importlib.metadata.version("torch")
    assert found["threads"] == {"torch_takes": torch.get_num_threads()}
    assert found["bf16"]["cpu"] == "emulated"
    assert found["data_sets"]["here"]["digits"] == "comes with scikit-learn"
    assert found["speed"]["cpu_fp32_gflops"] > 0.1
    assert found["warnings"] == []
    monkeypatch.setattr("ebgan.experiment.precision.processor_multiplies_bf16", lambda: True)
    assert reported(capsys)["bf16"]["cpu"] == "native"


def test_sets_and_classifiers_that_are_here_are_found_and_damaged_ones_are_told(capsys, tmp_path, monkeypatch) -> None:
    for file in ("mnist/train-images-idx3-ubyte.gz", "cifar10/data_batch_1.bin", "faces64.zip"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    monkeypatch.setenv("EBGAN_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = reported(capsys)
    sets = found["data_sets"]["here"]
    assert (sets["mnist"], sets["faces64"]) == (str(tmp_path / "mnist"), str(tmp_path / "faces64.zip"))
    assert "data_batch_2.bin" in sets["cifar10"]
    assert not {"svhn", "pictures", "bedrooms64"} & sets.keys()
    assert found["classifiers"] == {"trained": 0}
    assert found["cache"]["folder"] == str(tmp_path / "cache" / "ebgan")
    assert found["cache"]["free_gb"] > 0
    (tmp_path / "cache" / "ebgan" / "classifiers").mkdir(parents=True)
    (tmp_path / "cache" / "ebgan" / "classifiers" / "a.weights").touch()
    assert reported(capsys)["classifiers"] == {"trained": 1}


@pytest.mark.parametrize("broken", doctor.CHECKS)
def test_a_check_that_fails_says_why_and_the_others_are_made(broken, capsys, monkeypatch) -> None:
    def failing() -> None:
        raise PermissionError(13, "not for you")

    checks = {name: lambda: {"value": 1} for name in doctor.CHECKS} | {broken: failing}
    monkeypatch.setattr(doctor, "CHECKS", checks)
    found = reported(capsys)
    assert found[broken] == {"failed": "PermissionError: [Errno 13] not for you"}
    assert sum("failed" in each for each in found.values()) == 1
    assert run(["doctor"]) == 0
    assert "failed PermissionError: [Errno 13] not for you" in capsys.readouterr().out


def test_a_torch_that_cannot_be_loaded_fails_alone(capsys, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    found = reported(capsys)
    assert found["torch"]["failed"].startswith("ModuleNotFoundError")
    assert found["cores"]["usable"] >= 1
    assert found["memory"]["total_gb"] > 0


def test_more_threads_than_cores_are_warned_of_with_the_mend(capsys, monkeypatch) -> None:
    monkeypatch.setattr("torch.get_num_threads", lambda: 64)
    usable = reported(capsys)["cores"]["usable"]
    assert run(["doctor"]) == 0
    warned = f"torch uses 64 threads on {usable} cores: `export OMP_NUM_THREADS={usable}`"
    assert capsys.readouterr().out.splitlines()[-1] == f"warning     {warned}"


def test_the_version_is_said_at_once_without_torch() -> None:
    command = "import sys; from ebgan.cli.main import run; run(['--version']); sys.exit('torch' in sys.modules)"
    begun = time.perf_counter()
    said = subprocess.run([sys.executable, "-c", command], check=True, capture_output=True, text=True).stdout
    assert time.perf_counter() - begun < 2
    assert said == f"ebgan {importlib.metadata.version('ebgan')}\n"
