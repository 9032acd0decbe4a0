"""The discriminator on data alone, and how the game begins after it."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ebgan.data import Loader, from_array
from ebgan.energies import AutoencoderEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Evaluation, Experiment, Nets, Optimisers
from ebgan.experiment.building import build
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import EBGAN, MAGAN, Scheduled
from ebgan.runs import trainer
from ebgan.schedules import Linear
from ebgan.storage.runfolder import RunFolder, read_records
from ebgan.training.checkpoint import newest
from ebgan.training.course import data_energies
from ebgan.training.optim import Adam

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 6, 6), dtype=np.uint8)
SMALL = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=3, width=10, noise=5, std=0.3),
        discriminator=MLPAutoencoder(depth=3, width=8, dropout=0.3, std=0.3),
    ),
    energy=AutoencoderEnergy(unit="sse"),
    objective=MAGAN(epoch=50),
    optimisers=Optimisers(discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2)),
    pretraining=100,
    images=240,
    batch=12,
    checkpoint=12,
    evaluation=Evaluation(grid=4, every=240, pictures=240),
)


@pytest.fixture(autouse=True)
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "write_report", lambda folder: None)


def train(experiment: Experiment, out: Path) -> dict[str, Tensor]:
    """What moves at the end of a run."""
    trainer.train(experiment, out, data=IMAGES, device="cpu")
    found = newest(out / "checkpoints")
    assert found is not None
    return found[0].tensors


def test_the_generator_has_no_turn_until_so_many_images_are_seen(tmp_path: Path) -> None:
    train(SMALL, tmp_path)
    stats = read_records(RunFolder(tmp_path).stats)
    assert [record["images"] for record in stats if "energy_fake" not in record] == list(range(12, 109, 12))
    assert all("energy_fake" in record for record in stats if record["images"] > 108)


def test_the_first_margin_is_the_mean_energy_of_one_pass_over_the_data_without_moves(tmp_path: Path) -> None:
    tensors = train(replace(SMALL, images=108), tmp_path)
    game, _ = build(SMALL, (1, 6, 6))
    game.discriminator.net.load_state_dict(
        {name: tensors[f"discriminator.{name}"] for name in game.discriminator.net.state_dict()}
    )
    loader = Loader(from_array(IMAGES), batch=12, randomness=game.randomness)
    before = {name: value.clone() for name, value in game.discriminator.state().items()}
    energies = data_energies(game, islice(loader.batches(108), 50 // 12))
    assert energies.shape == (48,)
    torch.testing.assert_close(tensors["objective.margin"], energies.mean())
    assert tensors["objective.images"] == 108
    assert game.discriminator.net.training
    torch.testing.assert_close(game.discriminator.state(), before, rtol=0, atol=0)


@pytest.mark.parametrize("stop", [60, 96, 108, 120, 180])
def test_a_run_that_stops_in_either_phase_goes_on_as_if_it_had_not(tmp_path: Path, stop: int) -> None:
    whole = train(SMALL, tmp_path / "whole")
    train(replace(SMALL, images=stop), tmp_path / "stopped")
    trainer.train(SMALL, tmp_path / "stopped", data=IMAGES, device="cpu", override_config=True)
    found = newest(tmp_path / "stopped" / "checkpoints")
    assert found is not None
    torch.testing.assert_close(found[0].tensors, whole, rtol=0, atol=0)


def test_a_schedules_clock_runs_while_the_discriminator_is_pretrained(tmp_path: Path) -> None:
    falling = Scheduled(EBGAN(margin=10.0), margin=Linear(start=10.0, end=0.0, finish=240))
    experiment = replace(SMALL, energy=AutoencoderEnergy(), objective=falling)
    assert train(replace(experiment, images=108), tmp_path)["objective.images"] == 108


@pytest.mark.parametrize(
    ("pretraining", "said"), [(0, "MAGAN starts from a discriminator that was trained"), (-1, "expected at least 0")]
)
def test_a_pretraining_that_does_not_fit_is_refused(pretraining: int, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        replace(SMALL, pretraining=pretraining)
