"""BEGAN: the trace of k and M_global, and what neither player's gradient may touch."""

import pytest
import torch
from torch import Tensor

from ebgan.energies import AutoencoderEnergy
from ebgan.nets.base import BuildContext
from ebgan.nets.mlp import MLPAutoencoder
from ebgan.objectives import BEGAN
from ebgan.objectives.began import BEGANState
from ebgan.objectives.terms import convergence
from ebgan.randomness import Randomness
from ebgan.records import Batch, Means, Reading, Sample

NO_IMAGES = torch.zeros(2, 1, 1, 1, dtype=torch.float64)
PAPERS = BEGAN(gamma=0.5, lambda_k=1e-3)
TRACE = [  # energies of data and samples, then loss of the discriminator before the move, k after it, M_global
    (0.30, 0.05, 0.30, 1.0e-4, 0.40),
    (0.20, 0.05, 0.199995, 1.5e-4, 0.25),
    (0.20, 0.15, 0.1999775, 1.0e-4, 0.25),
    (0.20, 0.10, 0.19999, 1.0e-4, 0.20),
    (0.90, 0.00, 0.90, 5.5e-4, 1.35),
]


def energies(real: float, fake: float) -> tuple[Tensor, Tensor]:
    return torch.tensor([real / 2, 3 * real / 2], dtype=torch.float64), torch.full((2,), fake, dtype=torch.float64)


def means(real: float, fake: float) -> Means:
    first, second = energies(real, fake)
    return Means(first.mean(), second.mean(), torch.tensor(0))


def test_the_trace_of_the_balance_is_that_which_the_papers_formulas_give() -> None:
    state = PAPERS.init()
    for real, fake, loss, k, measure in TRACE:
        readings = [Reading(NO_IMAGES, energy) for energy in energies(real, fake)]
        losses = PAPERS.discriminator(state, *readings, Batch(NO_IMAGES))
        assert losses.total.item() == pytest.approx(loss, abs=1e-10)
        state = PAPERS.update(state, means(real, fake))
        assert state.k.item() == pytest.approx(k, abs=1e-10)
        watched = PAPERS.metrics(state, readings[1], means(real, fake))
        assert watched["state/k"] is state.k
        assert watched["convergence"].item() == pytest.approx(measure)


def test_k_begins_at_0_and_stays_there_while_the_samples_are_above_gamma_times_the_data() -> None:
    assert PAPERS.init().k == 0
    assert PAPERS.update(PAPERS.init(), means(0.2, 0.11)).k == 0


def test_k_never_leaves_the_interval_from_0_to_1() -> None:
    assert PAPERS.update(BEGANState(torch.tensor(0.9999)), means(1e6, 0.0)).k == 1
    assert PAPERS.update(BEGANState(torch.tensor(0.0001)), means(0.0, 1e6)).k == 0


def test_the_generators_loss_does_not_depend_on_k() -> None:
    fake = Reading(NO_IMAGES, torch.tensor([1.0, 3.0]))
    for k in (0.0, 0.3, 1.0):
        assert PAPERS.generator(BEGANState(torch.tensor(k)), fake, Sample(NO_IMAGES)).total == 2


def test_the_discriminators_gradient_on_the_samples_is_minus_k_over_the_batch() -> None:
    real, fake = (Reading(NO_IMAGES, energy.requires_grad_()) for energy in energies(0.3, 0.1))
    loss = PAPERS.discriminator(BEGANState(torch.tensor(0.25)), real, fake, Batch(NO_IMAGES)).total
    of_real, of_fake = torch.autograd.grad(loss, (real.energy, fake.energy))
    assert of_real.tolist() == [0.5, 0.5]
    assert of_fake.tolist() == [-0.125, -0.125]


def test_the_measure_of_convergence_is_the_energy_of_the_data_in_balance_and_above_it_otherwise() -> None:
    real = torch.rand(100, generator=torch.Generator().manual_seed(0))
    fake = torch.rand(100, generator=torch.Generator().manual_seed(1))
    assert (convergence(0.5, real, fake) > real).all()
    assert torch.equal(convergence(0.5, real, 0.5 * real), real)


def test_the_energy_is_the_mean_over_pixels_of_the_absolute_error_and_the_code_is_flat() -> None:
    net = MLPAutoencoder(width=5, std=0.3).build(BuildContext((3, 4, 4), (-1.0, 1.0), Randomness.of(0)))
    images = torch.rand(6, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    code, reconstruction = net(images)
    assert reconstruction.shape == images.shape
    assert code.shape == (6, 5)
    reading = AutoencoderEnergy(unit="l1").read(net, images)
    torch.testing.assert_close(reading.energy, (reconstruction - images).abs().mean((1, 2, 3)))
