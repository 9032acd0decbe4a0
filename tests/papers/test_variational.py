"""VGAN, equations 4 and 5: the bound of the partition function, and energies with and without a bound."""

import pytest
import torch

from ebgan.experiment.building import build
from ebgan.records import Batch, Reading
from ebgan.reproductions.theory.partition import PLACES, TIGHT, DiscreteEnergy, affine, inner_loop, tight
from ebgan.reproductions.theory.variational import CEILING, RUNS, boundedness, run


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_bound_is_tight_where_q_is_the_model_and_short_by_their_divergence_elsewhere(seed: int) -> None:
    table = DiscreteEnergy.of(seed)
    assert abs(table.loss - table.bound(table.model)) < TIGHT
    generator = torch.Generator().manual_seed(seed)
    for temperature in (0.1, 1.0, 10.0):
        q = (temperature * torch.randn(PLACES, generator=generator, dtype=torch.float64)).softmax(-1)
        assert table.loss - table.bound(q) == pytest.approx(table.divergence(q), abs=TIGHT)
        assert table.bound(q) < table.loss


def test_every_claim_about_the_bound_holds() -> None:
    claims = [*tight(DiscreteEnergy.of(0)), inner_loop(DiscreteEnergy.of(0))]
    assert len(claims) == 6
    assert [claim.claim for claim in claims if not claim.holds] == []


def test_the_q_that_the_paper_prints_is_not_the_one_that_makes_the_bound_tight() -> None:
    table = DiscreteEnergy.of(0)
    assert table.loss - table.bound(table.energies / table.energies.sum()) > 0.5


def test_the_optimum_of_equation_5_bears_a_shift_of_the_energy_and_no_scale() -> None:
    table = DiscreteEnergy.of(0)
    best = DiscreteEnergy(-table.data.log(), table.data)
    entropy = -(table.data * table.data.log()).sum().item()
    assert best.loss == pytest.approx(entropy)
    assert DiscreteEnergy(best.energies + 7, table.data).loss == pytest.approx(entropy)
    for scale in (0.5, 2.0):
        assert DiscreteEnergy(scale * best.energies, table.data).loss > entropy + 0.05
    assert not affine(table).holds


def test_the_plain_difference_is_the_difference_of_mean_energies_to_either_player() -> None:
    experiment = RUNS["a critic"]
    game, progress = build(experiment, (1, 8, 8))
    energies = [torch.tensor([1.0, 5.0], requires_grad=True), torch.tensor([-2.0, 4.0], requires_grad=True)]
    real, fake = (Reading(torch.rand(2, 1, 8, 8), energy) for energy in energies)
    losses = game.objective.discriminator(progress.objective, real, fake, Batch(real.images))
    up, down = torch.autograd.grad(losses.total, energies)
    assert (up.tolist(), down.tolist()) == ([0.5, 0.5], [-0.5, -0.5])


def test_without_a_bound_energies_grow_while_the_generator_rests_and_with_one_they_stay_below_it() -> None:
    resting = {title: run(each, 40) for title, each in RUNS.items() if "generator fixed" in title}
    critic, experts = (course.size for course in resting.values())
    assert critic[-1] > 2 * critic[9]
    assert critic[-1] > critic[-2] > critic[-3]
    assert experts.max() <= CEILING
    assert [claim.expected.split()[0] for claim in boundedness(resting)] == ["above", "at"]
