"""A small run that the verbs work on."""

from pathlib import Path

import pytest

from ebgan.cli.main import run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on the digits, trained by the command line for a moment."""
    out = tmp_path_factory.mktemp("runs") / "digits"
    small = ["--images", "2560", "--nets.generator.width", "32", "--nets.discriminator.width", "32"]
    assert run(["train", "digits", str(out), *small, "--evaluation.samples", "100", "--device", "cpu"]) == 0
    return out
