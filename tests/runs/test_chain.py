"""Chains of transitions, and what is measured of each place that they come to."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ebgan import Run, train
from ebgan.data import Packed, from_array
from ebgan.energies import ExpertsEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Data, Evaluation, Experiment, Nets
from ebgan.metrics import TrainedClassifier
from ebgan.nets.classifier import ConvClassifier
from ebgan.nets.mlp import MLPExperts
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.objectives import VCD
from ebgan.runs.chain import COLUMNS, Chain, _nearest, of_step, simulate, summary, visited, write_table
from ebgan.samplers import Transition

PICTURES = np.random.default_rng(0).integers(0, 256, (24, 1, 8, 8), dtype=np.uint8)
IMAGES = torch.tensor(PICTURES) / 127.5 - 1
VCD_RUN = Experiment(
    data=Data(limits=(0.0, 1.0)),
    nets=Nets(generator=MLPTransition(width=16, code=8), discriminator=MLPExperts(width=16, experts=8)),
    energy=ExpertsEnergy(),
    sampler=Transition(),
    objective=VCD(),
    images=64,
    batch=8,
    evaluation=Evaluation(grid=4),
)


@pytest.fixture(scope="module")
def data() -> Packed:
    return from_array(PICTURES)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(VCD_RUN, tmp_path_factory.mktemp("runs") / "vcd", data=PICTURES, device="cpu")


@pytest.fixture(scope="module")
def chain(run: Run, data: Packed) -> Chain:
    classifier = TrainedClassifier(ConvClassifier(1, 10).eval(), 0.0, "none")
    return simulate(run, IMAGES[:5], 3, seed=1, data=data, classifier=classifier)


def test_each_step_is_a_transition_from_where_the_last_one_ended(run: Run, chain: Chain) -> None:
    assert chain.images.shape == (4, 5, 1, 8, 8)
    assert torch.equal(chain.images[0], IMAGES[:5])
    for step in range(3):
        assert torch.equal(chain.images[step + 1], run.sample(5, seed=of_step(1, step), source=chain.images[step]))
    assert len({of_step(seed, step) for seed in range(3) for step in range(3)}) == 9


def test_the_same_seed_takes_the_same_steps_and_another_one_others(run: Run, data: Packed, chain: Chain) -> None:
    again, other = (simulate(run, IMAGES[:5], 3, seed=seed, data=data).images for seed in (1, 2))
    assert torch.equal(again, chain.images)
    assert not torch.equal(other[1], chain.images[1])


def test_energy_and_distances_are_those_of_each_place(run: Run, chain: Chain) -> None:
    torch.testing.assert_close(chain.energy[2], run.energy(chain.images[2]))
    assert chain.distance[0].tolist() == [0] * 5
    torch.testing.assert_close(chain.distance[3, 1], (chain.images[3, 1] - IMAGES[1]).norm())
    assert chain.nearest[0].max() == 0  # they start from images of the data
    assert chain.nearest_place[0].tolist() == [0, 1, 2, 3, 4]


def test_the_nearest_image_is_the_nearest_of_all_wherever_it_stands(data: Packed, monkeypatch) -> None:
    images = torch.rand(7, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    away = (images[:, None] - IMAGES[None]).flatten(2).norm(dim=-1)
    monkeypatch.setattr("ebgan.data.packed._CHUNK", 5 * 64)  # five images at a time
    distance, place = _nearest(images, data)
    torch.testing.assert_close(distance.float(), away.min(-1).values)
    assert torch.equal(place, away.argmin(-1))


def test_classes_visited_are_counted_once_each() -> None:
    kinds = torch.tensor([[3, 1], [3, 2], [4, 1], [3, 0]])
    nothing = torch.zeros(4, 2)
    walked = Chain(torch.zeros(4, 2, 1, 1, 1), nothing, nothing, nothing, nothing.long(), kinds)
    assert visited(walked).tolist() == [1, 1.5, 2, 2.5]
    assert [row[-1] for row in summary(walked)] == ["classes visited", "1", "1.5", "2", "2.5"]
    assert len(summary(walked._replace(kinds=None))[0]) == 4


def test_the_table_holds_every_chain_at_every_step(chain: Chain, tmp_path: Path) -> None:
    write_table(chain, tuple("abcdefghij"), tmp_path / "chain.csv")
    with (tmp_path / "chain.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["chain"], row["step"]) for row in rows] == [(str(c), str(s)) for s in range(4) for c in range(5)]
    assert float(rows[-1]["energy"]) == pytest.approx(chain.energy[3, 4].item())
    assert rows[0]["class"] == "abcdefghij"[int(chain.kinds[0, 0])]


def test_a_run_whose_samples_start_from_noise_is_refused(data: Packed, tmp_path: Path) -> None:
    run = train(replace(Experiment(), images=64), tmp_path, data=PICTURES, device="cpu")
    with pytest.raises(UsageError, match=r"start from noise; a chain needs transitions \(VCD\)"):
        simulate(run, IMAGES[:2], 1, data=data)
