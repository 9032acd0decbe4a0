"""Small runs that the verbs work on."""

from pathlib import Path

import numpy as np
import pytest

from ebgan import Experiment, train
from ebgan.cli.main import run
from ebgan.energies import ExpertsEnergy
from ebgan.experiment import Data, Evaluation, Nets
from ebgan.nets.mlp import MLPExperts
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import VCD
from ebgan.samplers import Transition


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on the digits, trained by the command line for a moment."""
    out = tmp_path_factory.mktemp("runs") / "digits"
    small = ["--images", "2560", "--nets.generator.width", "32", "--nets.discriminator.width", "32"]
    assert run(["train", "digits", str(out), *small, "--evaluation.samples", "100", "--device", "cpu"]) == 0
    return out


@pytest.fixture(scope="session")
def transitions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose samples start from images, 24 of noise."""
    folder = tmp_path_factory.mktemp("transitions")
    np.savez(folder / "noise.npz", images=np.random.default_rng(0).integers(0, 256, (24, 8, 8), dtype=np.uint8))
    experiment = Experiment(
        data=Data(source=str(folder / "noise.npz"), limits=(0.0, 1.0)),
        nets=Nets(generator=MLPTransition(width=16, code=8), discriminator=MLPExperts(width=16, experts=8)),
        energy=ExpertsEnergy(),
        sampler=Transition(),
        objective=VCD(),
        images=128,
        evaluation=Evaluation(grid=4),
    )
    train(experiment, folder / "run", device="cpu")
    return folder / "run"
