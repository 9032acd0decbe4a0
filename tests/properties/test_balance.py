"""What moves while training stays within its bounds, whatever the energies: BEGAN's k, MAGAN's margin, a plateau."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from ebgan.objectives import BEGAN, MAGAN
from ebgan.objectives.terms import convergence
from ebgan.records import Means
from ebgan.training.plateau import Plateau

ENERGIES = st.floats(0, 1e4, width=32)
RUNS = st.lists(st.tuples(ENERGIES, ENERGIES), min_size=1, max_size=12)


def means(real: float, fake: float, images: int = 0) -> Means:
    return Means(torch.tensor(real), torch.tensor(fake), torch.tensor(images))


@given(RUNS, st.floats(1e-6, 2), st.floats(1e-6, 10))
def test_k_never_leaves_the_interval_from_0_to_1(run: list[tuple[float, float]], gamma: float, gain: float) -> None:
    objective = BEGAN(gamma=gamma, lambda_k=gain)
    state = objective.init()
    for real, fake in run:
        before, state = state.k.item(), objective.update(state, means(real, fake))
        assert 0 <= state.k <= 1
        assert (state.k >= before) if gamma * real > fake else (state.k <= before)


@given(ENERGIES, ENERGIES, st.floats(0, 2))
def test_the_measure_of_convergence_is_never_below_the_energy_of_the_data(
    real: float, fake: float, gamma: float
) -> None:
    assert convergence(gamma, torch.tensor(real), torch.tensor(fake)) >= torch.tensor(real)


@given(RUNS, ENERGIES)
def test_magans_margin_never_rises_and_is_the_energy_of_some_epochs_data(
    run: list[tuple[float, float]], first: float
) -> None:
    objective = MAGAN(epoch=10)
    state = objective.after_pretraining(objective.init(), torch.tensor([first]))
    for place, (real, fake) in enumerate(run, 1):
        before, state = state.margin, objective.update(state, means(real, fake, 10 * place))
        assert state.margin == before or state.margin == torch.tensor(real) < before


@given(st.lists(ENERGIES, min_size=1, max_size=20), st.integers(1, 40), st.floats(0, 0.9), st.floats(0, 0.9))
def test_a_plateaus_factor_never_rises_and_never_falls_below_its_floor(
    measures: list[float], patience: int, reduction: float, floor: float
) -> None:
    plateau = Plateau(patience=patience, reduction=reduction, floor=floor)
    state = plateau.init()
    for measure in measures:
        before, state = state, plateau.follow(state, torch.tensor(measure), torch.tensor(10))
        assert torch.tensor(floor) <= state.factor <= before.factor
        assert state.best <= before.best
        assert 0 <= state.seen < patience


@given(ENERGIES, st.integers(1, 40), st.integers(1, 40))
def test_a_measure_that_stands_still_stalls_at_every_window_but_the_first(
    measure: float, patience: int, steps: int
) -> None:
    plateau = Plateau(patience=patience, threshold=0.01)
    state = plateau.init()
    for _ in range(steps):
        state = plateau.follow(state, torch.tensor(measure), torch.tensor(1))
    assert state.factor == 0.5 ** max(steps // patience - 1, 0)
