"""Section 2.2 and its appendix in numbers: Lemma 1, and the value of the game at its equilibrium."""

import pytest
import torch
from torch import Tensor

from ebgan.objectives import EBGAN
from ebgan.objectives.terms import hinge
from ebgan.records import Reading, Sample

MARGIN = 10.0
ENERGIES = torch.linspace(0, 30, 3001, dtype=torch.float64)


def phi(a: float, b: float, energies: Tensor = ENERGIES) -> Tensor:
    """Lemma 1's phi(y) = a y + b [m - y]_+, the discriminator's loss at one point of the image space."""
    return a * energies + b * hinge(MARGIN, energies[:, None])


@pytest.mark.parametrize(
    ("a", "b", "least", "where"),
    [
        (1, 2, 10, (10, 10)),
        (2, 1, 10, (0, 0)),
        (1, 1, 10, (0, 10)),
        (0, 1, 0, (10, 30)),
        (1, 0, 0, (0, 0)),
    ],
)
def test_lemma_1_the_least_of_phi_is_m_times_the_smaller_weight(
    a: float, b: float, least: float, where: tuple[float, float]
) -> None:
    values = phi(a, b)
    lowest = ENERGIES[(values - values.min()).abs() < 1e-9]
    assert values.min().item() == pytest.approx(least) == pytest.approx(MARGIN * min(a, b))
    assert (lowest.min().item(), lowest.max().item()) == pytest.approx(where)
    assert len(lowest) == round((where[1] - where[0]) * 100) + 1  # and all between


def value_of_the_game(data: list[float], samples: list[float]) -> float:
    """V(G, D*): the best discriminator's loss, which chooses its energy at each point apart."""
    return sum(phi(p, q).min().item() for p, q in zip(data, samples, strict=True))


def test_the_best_discriminators_loss_is_m_times_one_less_the_total_variation() -> None:
    data, samples = [0.5, 0.3, 0.2], [0.2, 0.3, 0.5]
    variation = sum(abs(p - q) for p, q in zip(data, samples, strict=True)) / 2
    assert value_of_the_game(data, samples) == pytest.approx(7.0) == pytest.approx(MARGIN * (1 - variation))


def test_it_is_m_exactly_where_the_samples_are_distributed_as_the_data() -> None:
    data = [0.5, 0.3, 0.2]
    assert value_of_the_game(data, data) == pytest.approx(MARGIN)
    for samples in ([0.51, 0.29, 0.2], [0.0, 0.5, 0.5], [1.0, 0.0, 0.0]):
        assert value_of_the_game(data, samples) < MARGIN - 0.05


@pytest.mark.parametrize("gamma", [0.0, 3.0, 10.0])
def test_theorem_2_any_constant_energy_up_to_the_margin_is_an_equilibrium(gamma: float) -> None:
    data = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    constant = torch.full((3,), gamma, dtype=torch.float64)
    loss = data @ (constant + hinge(MARGIN, constant[:, None]))
    assert loss.item() == pytest.approx(MARGIN)
    for moved in ([1.0, 0.0, 0.0], [0.2, 0.3, 0.5]):
        assert (torch.tensor(moved, dtype=torch.float64) @ constant).item() == pytest.approx(gamma)  # U = gamma


@pytest.mark.parametrize(("energies", "gain"), [([3.0, 4.0, 3.0], True), ([3.0, 3.0, 3.0], False)])
def test_only_an_energy_that_is_constant_lets_the_generator_gain_nothing(energies: list[float], gain: bool) -> None:
    objective = EBGAN(margin=MARGIN)
    logits = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).log().requires_grad_()

    def loss() -> Tensor:
        reading = Reading(torch.zeros(3, 1, 1, 1), torch.tensor(energies, dtype=torch.float64) * logits.softmax(-1) * 3)
        return objective.generator(objective.init(), reading, Sample(reading.images)).total

    before = loss()
    torch.autograd.backward(before)
    assert logits.grad is not None
    with torch.no_grad():
        logits -= 0.1 * logits.grad
    assert (loss() < before - 1e-6).item() == gain
    assert loss().item() == pytest.approx(before.item(), abs=0.1)
