"""The loss-sensitive GAN over pairs of all kinds: identities between its slopes, weights and distances."""

from typing import NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ebgan.objectives import EBGAN, LossSensitiveGAN
from ebgan.objectives.loss_sensitive import distance
from ebgan.records import Batch, Reading

NUMBERS = st.floats(-100, 100)
SLOPES = st.floats(-3, 1)


class Pair(NamedTuple):
    """Energies of a real image and its sample, and how far apart their one pixel is."""

    real: float
    fake: float
    apart: float


PAIRS = st.lists(st.builds(Pair, NUMBERS, NUMBERS, st.floats(0, 100)), min_size=1, max_size=6)


def readings(pairs: list[Pair]) -> tuple[Reading, Reading]:
    real, fake, apart = torch.tensor(pairs, dtype=torch.float64).unbind(-1)
    pixels = apart[:, None, None, None]
    return Reading(torch.zeros_like(pixels), real), Reading(pixels, fake)


def loss(pairs: list[Pair], slope: float = 0.0, real_weight: float = 0.0) -> float:
    objective = LossSensitiveGAN(scale=1.0, slope=slope, real_weight=real_weight)
    real, fake = readings(pairs)
    return objective.discriminator(objective.init(), real, fake, Batch(real.images)).total.item()


@given(PAIRS, st.floats(-1, 1))
def test_every_slope_lies_between_wgan_and_the_absolute_value(pairs: list[Pair], slope: float) -> None:
    between = (1 + slope) / 2 * loss(pairs, 1.0) + (1 - slope) / 2 * loss(pairs, -1.0)
    assert loss(pairs, slope) == pytest.approx(between, rel=1e-9, abs=1e-9)


@given(PAIRS, SLOPES, SLOPES)
def test_a_larger_slope_never_costs_more(pairs: list[Pair], one: float, other: float) -> None:
    assert loss(pairs, max(one, other)) <= loss(pairs, min(one, other)) + 1e-9


@given(PAIRS, SLOPES, st.floats(0, 4), NUMBERS)
def test_a_shift_of_all_energies_moves_the_datas_own_term_alone(
    pairs: list[Pair], slope: float, weight: float, by: float
) -> None:
    shifted = [Pair(real + by, fake + by, apart) for real, fake, apart in pairs]
    expected = loss(pairs, slope, weight) + weight * by
    assert loss(shifted, slope, weight) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(PAIRS, st.permutations(range(6)))
def test_pairs_may_change_places_together(pairs: list[Pair], order: list[int]) -> None:
    moved = [pairs[place] for place in order if place < len(pairs)]
    assert loss(moved, -0.5, 1.0) == pytest.approx(loss(pairs, -0.5, 1.0), rel=1e-9, abs=1e-9)


@given(PAIRS, st.floats(0, 100))
def test_with_a_margin_of_m_minus_the_datas_energy_it_is_ebgans_loss(pairs: list[Pair], margin: float) -> None:
    below = [Pair(min(real, margin), fake, margin - min(real, margin)) for real, fake, _ in pairs]
    real, fake = readings(below)
    ebgan = EBGAN(margin=margin)
    expected = ebgan.discriminator(ebgan.init(), real, fake, Batch(real.images)).total.item()
    assert loss(below, real_weight=1.0) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=9))
def test_the_two_distances_bound_each_other(pixels: list[tuple[float, float]]) -> None:
    real, fake = (torch.tensor(row, dtype=torch.float64)[None, None, None] for row in zip(*pixels, strict=True))

    def apart(first: Tensor, second: Tensor) -> tuple[float, float]:
        return distance("l1", first, second).item(), distance("l2", first, second).item()

    l1, l2 = apart(real, fake)
    assert apart(fake, real) == (l1, l2)
    assert l2 <= l1 * (1 + 1e-12)
    assert l1 <= len(pixels) ** 0.5 * l2 * (1 + 1e-12)
