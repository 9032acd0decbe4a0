"""Normalised auto-encoders (Yoon, Noh & Park, 2021): the loss recomputed, and that its gradient is the likelihood's."""

import pytest
import torch

from ebgan.objectives import NAE, Stateless
from ebgan.records import Batch, Reading, Sample

NO_IMAGES = torch.zeros(3, 1, 1, 1)


def reading(*energy: float) -> Reading:
    return Reading(NO_IMAGES, torch.tensor(energy, dtype=torch.float32))


def test_the_loss_is_the_difference_of_mean_energies_and_the_mean_square_of_the_negatives() -> None:
    losses = NAE(gamma=0.5).discriminator(Stateless(), reading(1, 2, 6), reading(2, 4, 6), Batch(NO_IMAGES))
    assert losses.terms["real"] == 3
    assert losses.terms["fake"] == -4
    assert losses.terms["bound"].item() == pytest.approx(0.5 * (4 + 16 + 36) / 3)
    assert losses.total.item() == pytest.approx(3 - 4 + 0.5 * 56 / 3)


def test_the_loss_of_a_negative_is_lowest_at_half_the_inverse_of_gamma() -> None:
    energies = torch.linspace(0, 2, 2001)
    losses = [
        NAE(gamma=2.0).discriminator(Stateless(), reading(0.0), reading(float(each)), Batch(NO_IMAGES)).total
        for each in energies
    ]
    assert energies[torch.stack(losses).argmin()].item() == pytest.approx(0.25, abs=1e-3)


def test_the_generator_if_there_is_one_lowers_the_energy_of_its_samples() -> None:
    assert NAE().generator(Stateless(), reading(1, 2, 6), Sample(NO_IMAGES)).total == 3


def test_without_the_bound_the_gradient_is_that_of_the_negative_log_likelihood() -> None:
    """On five places: p = exp(-E) / Z; negatives drawn in proportion to p give the gradient of -log p(data)."""
    energy = torch.tensor([0.3, 1.2, 0.7, 2.0, 0.1], dtype=torch.float64, requires_grad=True)
    data = torch.tensor([0, 0, 2])
    likelihood = (energy[data] + torch.logsumexp(-energy, 0)).mean()
    (expected,) = torch.autograd.grad(likelihood, energy)
    counts = (100_000 * torch.softmax(-energy.detach(), 0)).round().long()
    negatives = torch.repeat_interleave(torch.arange(5), counts)
    losses = NAE(gamma=0.0).discriminator(
        Stateless(), Reading(NO_IMAGES, energy[data]), Reading(NO_IMAGES, energy[negatives]), Batch(NO_IMAGES)
    )
    (found,) = torch.autograd.grad(losses.total, energy)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
