"""Section 2.2 measured: what the game comes to on a few places and, shortly, with nets; and the proof of Theorem 2."""

import math

import pytest
import torch

from ebgan.reproductions.theory.claims import DATA, MARGIN, ROUNDS, corollary, in_the_end, lemma_1, theorems
from ebgan.reproductions.theory.equilibrium import best_energies, play, total_variation, value
from ebgan.reproductions.theory.flatness import setting, watch

PLACES = torch.tensor(DATA).double()


def test_lemma_1_and_the_corollary_hold_to_the_digit() -> None:
    assert lemma_1().holds
    assert (corollary().expected, corollary().measured) == ("7.0000", "7.0000")


def test_no_table_of_energies_beats_the_best_answer() -> None:
    samples = torch.tensor([0.2, 0.3, 0.5]).double()
    best = value(PLACES, samples, best_energies(PLACES, samples, MARGIN), MARGIN)
    assert best == pytest.approx(MARGIN * (1 - total_variation(PLACES, samples)))
    grid = torch.cartesian_prod(*[torch.linspace(0, 15, 16).double()] * 3)
    assert min(value(PLACES, samples, energies, MARGIN) for energies in grid) >= best - 1e-9


@pytest.fixture(scope="module")
def game() -> list:
    return play(PLACES, MARGIN, ROUNDS)


def test_the_game_comes_to_the_equilibrium_of_theorems_1_and_2(game: list) -> None:
    claims = theorems(game, play(torch.tensor([*DATA, 0.0]).double(), MARGIN, ROUNDS))
    assert [claim.claim for claim in claims if not claim.holds] == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_does_so_from_any_start_and_gamma_depends_on_the_start(game: list, seed: int) -> None:
    end = play(PLACES, MARGIN, 6_000, seed=seed)[-1]
    assert end.value == pytest.approx(MARGIN, abs=1e-3)
    assert end.spread < 0.05
    assert 0 <= end.energies.mean() <= MARGIN
    assert abs(end.energies.mean() - game[-1].energies.mean()) > 0.01


def test_plain_gradients_go_around_the_equilibrium() -> None:
    positions = play(PLACES, MARGIN, 6_000, optimistic=False)
    assert max(position.spread for position in positions[-2_000:]) > 1


def test_the_printed_construction_in_the_proof_of_theorem_2_costs_the_generator_and_the_reversed_one_pays() -> None:
    """U(G*, D*) - U(G0, D*) is to be above 0 (eq. 24): G0 has more mass than the data where the energy is low."""
    energies = torch.tensor([3.0, 4.0, 5.0]).double()  # S = {D <= 3.5} is the first place
    as_printed = torch.tensor([0.4, 0.35, 0.25]).double()  # less than the data on S
    mended = torch.tensor([0.6, 0.25, 0.15]).double()  # more
    assert (PLACES - as_printed) @ energies < 0
    assert (PLACES - mended) @ energies > 0
    for moved in (as_printed, mended):  # eq. 21 and 22 are equal whatever the constant
        assert ((PLACES - moved) @ (energies - 3.5)).item() == pytest.approx(((PLACES - moved) @ energies).item())


def test_where_there_is_no_data_an_energy_under_gamma_is_no_equilibrium() -> None:
    """The theorem's footnote allows any energy in [0, m] there; below gamma the generator would move to it."""
    data, gamma = torch.tensor([*DATA, 0.0]).double(), 4.0
    for off, stays in ((1.0, False), (4.0, True), (8.0, True), (20.0, True)):
        energies = torch.tensor([gamma] * 3 + [off]).double()
        assert value(data, data, energies, MARGIN) == pytest.approx(MARGIN)  # no better answer of D
        moved = torch.tensor([0.4, 0.3, 0.2, 0.1]).double()
        assert (moved @ energies >= data @ energies) == stays


@pytest.mark.parametrize("objective", ["ebgan", "gan"])
def test_with_nets_the_value_is_near_its_own_at_the_equilibrium_soon(objective: str) -> None:
    experiment = setting(objective, 500 * 128)
    looks = watch(experiment)
    assert [looks[0].images, looks[-1].images, len(looks)] == [0, 500 * 128, 11]
    best = experiment.objective.margin if objective == "ebgan" else 2 * math.log(2)
    assert looks[-1].value == pytest.approx(best, rel=0.15)
    assert looks[-1].distance < 0.5 * looks[0].distance
    assert [claim.holds for claim in in_the_end(experiment, [looks])] == [None] * 4


@pytest.mark.parametrize("seed", range(5))
def test_lemma_2_densities_of_which_one_is_nowhere_the_smaller_are_equal(seed: int) -> None:
    """Measure of {p < q} is 0 if and only if that of {p != q} is: both densities have the integral 1."""
    drawn = torch.Generator().manual_seed(seed)
    measure = torch.rand(7, generator=drawn, dtype=torch.float64) + 0.1
    p, q = (_density(measure, 200, drawn) for _ in range(2))
    q[:50] = p[:50]
    q[50:100, :3] = p[50:100, :3]  # equal on a part of the places
    q[50:100, 3:] *= ((1 - (p * measure)[50:100, :3].sum(-1)) / (q * measure)[50:100, 3:].sum(-1))[:, None]
    smaller, different = (((p < q - 1e-12) * measure).sum(-1), (((p - q).abs() > 1e-12) * measure).sum(-1))
    assert torch.equal(smaller > 0, different > 0)
    assert (different[:50] == 0).all()
    assert (different[50:] > 0).all()
    taller = 1.1 * p  # no density: its integral is not 1, and the lemma does not hold
    assert (((taller < p) * measure).sum(-1) == 0).all()


def _density(measure: torch.Tensor, count: int, drawn: torch.Generator) -> torch.Tensor:
    """Random densities [count, places] of the integral 1 with respect to a measure of the places."""
    values = torch.rand(count, len(measure), generator=drawn, dtype=torch.float64) ** 3
    return values / (values * measure).sum(-1, keepdim=True)
