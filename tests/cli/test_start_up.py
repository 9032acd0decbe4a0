"""What a command loads before it answers: nothing that it does not use."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Each stage is a command, or a module that is imported, after all that stand before it, in one process.
STAGES = {
    "recipes": ["recipes"],
    "reproduce": ["reproduce"],
    "train of an unknown recipe": ["train", "digitz"],
    "train of a grid": ["train", "mnist_grid"],
    "sweep of an unknown grid": ["sweep", "mnist_gird"],
    "reproduce of an unknown name": ["reproduce", "theoty"],
    "train --help": ["train", "digits", "--help"],
    "sweep worker": "ebgan.sweeps.worker",
    "sweep --plan": ["sweep", "mnist_grid", "--scale", "tiny", "--limit", "4", "--plan"],
}
SCRIPT = """
import contextlib, importlib, io, json, sys
from ebgan.cli.main import run

loaded = {}
for name, stage in json.loads(sys.argv[1]).items():
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        importlib.import_module(stage) if isinstance(stage, str) else run(stage)
    loaded[name] = sorted(sys.modules)
print(json.dumps(loaded))
"""
HEAVY = ("torch", "numpy", "yaml", "PIL")
HEAVIER = ("sklearn", "scipy", "matplotlib", "jinja2", "torchmetrics", "lightning_fabric", "dask", "distributed")
OTHERS = ("ebgan.sweeps", "ebgan.runs.trainer", "ebgan.metrics", "ebgan.report", "ebgan.recipes.vgan")
FORBIDDEN = {
    name: (*HEAVIER, *OTHERS, *HEAVY) if "--help" not in name else (*HEAVIER, *OTHERS)
    for name in list(STAGES)[: list(STAGES).index("sweep worker")]
} | {"sweep worker": HEAVIER, "sweep --plan": HEAVIER}


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """The modules that are there after each stage."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(STAGES)], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("stage", STAGES)
def test_a_command_loads_no_more_than_it_uses(stage: str, loaded: dict[str, list[str]]) -> None:
    assert set(FORBIDDEN[stage]) & set(loaded[stage]) == set()


def test_what_is_loaded_is_seen(loaded: dict[str, list[str]]) -> None:
    assert {"torch", "ebgan.recipes.digits"} <= set(loaded["train --help"])
    assert {"ebgan.metrics", "ebgan.report", "ebgan.sweeps.training"} <= set(loaded["sweep worker"])
