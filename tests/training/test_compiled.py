"""Compiled passes compute what passes compute, and where they cannot be had that is said."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ebgan.energies import ScalarEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Nets
from ebgan.nets.mlp import MLPDiscriminator
from ebgan.objectives import LSGAN, WGANGP
from ebgan.training.compiled import telling_the_compiler

SCRIPT = Path(__file__).with_name("compiled_steps.py")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", ["mlp", "stack", "convolutional", "ladder"])
def test_compiled_passes_compute_what_passes_compute(kind: str) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), kind], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    for eager, compiled in zip(told["eager"], told["compiled"], strict=True):
        assert compiled == pytest.approx(eager, rel=1e-9)


@pytest.mark.slow
def test_without_a_compiler_a_run_is_refused_in_one_line(tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("ebgan"))
    done = subprocess.run(
        [program, "train", "digits", str(tmp_path / "run"), "--compile", "--device", "cpu"],
        env={**os.environ, "CXX": "no-such-compiler", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == UsageError.exit_code, done.stderr
    assert "compile=True: torch.compile failed here" in done.stderr
    assert "It needs a C++ compiler for the CPU" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("objective", [WGANGP(), LSGAN(gradient_penalty=1.0)])
def test_a_gradient_of_a_gradient_is_refused(objective: LSGAN | WGANGP) -> None:
    nets = Nets(discriminator=MLPDiscriminator())
    sound = Experiment(nets=nets, energy=ScalarEnergy(), objective=objective)
    with pytest.raises(UsageError, match=f"compile=True: {type(objective).__name__} takes the gradient of a gradient"):
        replace(sound, compile=True)


def test_parts_of_a_batch_are_refused() -> None:
    with pytest.raises(UsageError, match="accumulate=2: compiled passes are of the whole batch"):
        Experiment(compile=True, accumulate=2)


def test_errors_of_others_are_not_taken_for_the_compilers() -> None:
    with pytest.raises(RuntimeError, match="must match"), telling_the_compiler():
        torch.zeros(2) + torch.zeros(3)
