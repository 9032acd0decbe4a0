"""What the papers and the authors' code say of the Ladder network and of EBGAN-LN, to the digit."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ebgan.data import draw_labelled, open_data, scaled
from ebgan.energies import AutoencoderEnergy, LadderEnergy
from ebgan.nets.base import BuildContext, Denoiser
from ebgan.nets.ladder import Ladder
from ebgan.objectives import EBGAN, SemiSupervised
from ebgan.randomness import Randomness
from ebgan.recipes import find
from ebgan.recipes.semisupervised_mnist import BATCH
from ebgan.records import Batch, Reading

MNIST = (1, 28, 28)


def net(top_scale: bool = False) -> Denoiser:
    return Ladder(top_scale=top_scale).build(BuildContext(MNIST, (0.0, 1.0), Randomness.of(0), 10))


@pytest.mark.parametrize(("top_scale", "count"), [(False, 3_105_700), (True, 3_105_710)])
def test_the_net_has_the_parameters_of_the_authors_and_ours_of_the_paper(top_scale: bool, count: int) -> None:
    assert sum(weight.numel() for weight in net(top_scale).parameters()) == count


def test_parameters_come_in_the_parts_that_the_authors_have() -> None:
    counts: dict[str, int] = {}
    for name, weight in net(True).named_parameters():
        part = name.split(".")[0] if not name.endswith("scale") else "scale"
        counts[part] = counts.get(part, 0) + weight.numel()
    assert counts == {"encoder": 1_536_500, "decoder": 1_536_500, "shifts": 2_260, "scale": 10, "combinators": 30_440}


def test_the_first_energy_is_that_of_an_output_of_zeros(data_folder: Path) -> None:
    images = scaled(torch.tensor(open_data(data_folder / "mnist").images[:2000]), (0.0, 1.0))
    energy = AutoencoderEnergy(unit="sse").read(net(), images).energy
    torch.testing.assert_close(energy, images.square().sum((1, 2, 3)))


def test_a_first_energy_is_88_on_average_and_112_with_its_weight(data_folder: Path) -> None:
    images = open_data(data_folder / "mnist").images
    counts = sum(np.bincount(part.ravel(), minlength=256) for part in np.array_split(images, 60))
    mean = float(((np.arange(256) / 255) ** 2 * counts).sum() / len(images))
    assert mean == pytest.approx(87.8, abs=0.05 if len(images) == 60_000 else 1.5)
    assert mean / 784 == pytest.approx(0.112, abs=0.002)
    assert SemiSupervised(inner=EBGAN()).weight * mean == pytest.approx(112, abs=2)


def test_the_bottom_layers_cost_is_the_squared_error_in_the_authors_units() -> None:
    images = torch.rand(20, *MNIST, generator=torch.Generator().manual_seed(0))
    cost = LadderEnergy(weights=(1000.0,)).read(net(), images).energy
    torch.testing.assert_close(cost, AutoencoderEnergy(unit="sse").read(net(), images).energy * 1000 / 784)


@pytest.mark.parametrize(("step", "margin"), [(0, 16.0), (15_000, 12.0), (30_000, 8.0), (60_000, 0.0), (90_000, 0.0)])
def test_the_margin_of_ebgan_ln_falls_from_16_to_0_over_60_000_steps(step: int, margin: float) -> None:
    made = find("semisupervised_mnist.ebgan_ln").make()
    schedule = made.objective.inner.schedules["margin"]
    assert schedule.at(torch.tensor(step * BATCH)) == pytest.approx(margin)
    assert made.turns.now(step * BATCH) == ((1, 1) if step < 60_000 else (1, 0))


@pytest.mark.parametrize(
    ("name", "step", "rate"),
    [
        ("ladder", 80_000, 2e-4),
        ("ladder", 100_000, 1e-4),
        ("ladder", 110_000, 5e-5),
        ("ladder", 120_000, 0.0),
        ("ebgan_ln", 120_000, 5e-4),
        ("ebgan_ln", 150_000, 2.5e-4),
        ("ebgan_ln", 180_000, 0.0),
    ],
)
def test_learning_rates_are_the_papers(name: str, step: int, rate: float) -> None:
    made = find(f"semisupervised_mnist.{name}").make()
    adam = made.optimisers.discriminator
    assert adam.decay is not None
    assert float(adam.lr * adam.decay.at(torch.tensor(step * BATCH))) == pytest.approx(rate, abs=1e-10)
    assert adam.beta1 == 0.5
    assert made.images == BATCH * (120_000 if name == "ladder" else 180_000)


def test_the_generators_rate_is_half_the_discriminators() -> None:
    assert find("semisupervised_mnist.ebgan_ln").make().optimisers.generator.lr == 2.5e-4


@pytest.mark.parametrize("count", [100, 200, 1000])
def test_a_split_holds_as_many_of_each_class_and_follows_from_the_seed(data_folder: Path, count: int) -> None:
    data = open_data(data_folder / "mnist")
    assert data.labels is not None
    first, again, other = (draw_labelled(data, count, Randomness.of(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len(set(first.tolist())) == count
    for places in (first, other):
        assert torch.bincount(torch.tensor(data.labels)[places]).tolist() == [count // 10] * 10


def test_without_a_margin_the_objective_is_that_of_the_ladder_network_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    real, fake = (Reading(torch.zeros(6, *MNIST), torch.rand(6, generator=generator) * 30) for _ in range(2))
    objective, batch = SemiSupervised(inner=EBGAN(margin=0.0)), Batch(torch.zeros(6, *MNIST))
    state = objective.init()
    with_samples = objective.discriminator(state, real, fake, batch).total
    torch.testing.assert_close(with_samples, objective.data_loss(state, real, batch).total)
    torch.testing.assert_close(with_samples, 1000 / 784 * real.energy.mean())


def test_the_weight_is_on_both_terms_or_on_the_datas_alone() -> None:
    """The paper does not say which; they differ by 1.28 on the hinge."""
    real, fake = (Reading(torch.zeros(2, *MNIST), torch.tensor(energy)) for energy in ([3.0, 5.0], [10.0, 20.0]))
    batch = Batch(torch.zeros(2, *MNIST))
    totals = {}
    for weighs in ("all", "data"):
        objective = SemiSupervised(inner=EBGAN(margin=16.0), weighs=weighs)
        totals[weighs] = float(objective.discriminator(objective.init(), real, fake, batch).total)
    assert totals["all"] == pytest.approx(1000 / 784 * (4 + 3))
    assert totals["data"] == pytest.approx(1000 / 784 * 4 + 3)


def test_the_class_loss_is_torchs_cross_entropy() -> None:
    logits = torch.randn(7, 10, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(7)
    objective = SemiSupervised(inner=EBGAN())
    losses = objective.classification(objective.init(), logits, labels)
    torch.testing.assert_close(losses.terms["classes"], torch.nn.functional.cross_entropy(logits, labels))
