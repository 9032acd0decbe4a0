"""Small runs to give away."""

from pathlib import Path

import numpy as np
import pytest

import ebgan
from ebgan.detection.of_run import keep
from ebgan.energies import ExpertsEnergy
from ebgan.experiment import Data, Evaluation, Experiment, Nets
from ebgan.nets.mlp import MLPAutoencoder, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import VCD
from ebgan.samplers import Transition

SMALL = Nets(generator=MLPGenerator(width=16, noise=4), discriminator=MLPAutoencoder(width=16))
PICTURES = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on the digits, with an average of the generator's weights and energies of normal images."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    experiment = Experiment(nets=SMALL, images=256, ema=64, evaluation=Evaluation(samples=40, grid=4))
    run = ebgan.train(experiment, folder, device="cpu")
    keep(run, PICTURES[:, None], "/home/somebody/good")
    return folder


@pytest.fixture(scope="session")
def of_secret_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on pictures at a path that nobody should learn of, with metrics."""
    folder = tmp_path_factory.mktemp("secret-place")
    np.savez(folder / "patients.npz", images=PICTURES, labels=np.arange(40) % 2)
    experiment = Experiment(
        data=Data(source=str(folder / "patients.npz")),
        nets=SMALL,
        images=128,
        evaluation=Evaluation(samples=40, grid=4),
    )
    ebgan.train(experiment, folder / "run", device="cpu")
    return folder / "run"


@pytest.fixture(scope="session")
def transitions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose samples start from private images."""
    folder = tmp_path_factory.mktemp("transitions")
    np.savez(folder / "noise.npz", images=PICTURES)
    experiment = Experiment(
        data=Data(source=str(folder / "noise.npz"), limits=(0.0, 1.0)),
        nets=Nets(generator=MLPTransition(width=16, code=8), discriminator=MLPExperts(width=16, experts=8)),
        energy=ExpertsEnergy(),
        sampler=Transition(),
        objective=VCD(),
        images=128,
        evaluation=Evaluation(grid=4),
    )
    ebgan.train(experiment, folder / "run", device="cpu")
    return folder / "run"
