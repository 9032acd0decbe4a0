import math

import pytest
import torch

from ebgan.errors import DataError
from ebgan.metrics import high_quality_share, mode_histogram, modes_covered, owners, reverse_kl, transport_distance

CENTRES = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
SAMPLES = torch.tensor([[0.0, 0.25], [0.0, 2.0], [10.0, 0.5], [9.0, 9.0]])  # near, far, at the reach, far


def test_a_sample_belongs_to_its_nearest_mode() -> None:
    owned = owners(SAMPLES, CENTRES)
    assert owned.mode.tolist() == [0, 0, 1, 3]
    assert owned.distance.tolist() == pytest.approx([0.25, 2.0, 0.5, math.sqrt(2)])


def test_a_mode_counts_if_it_owns_a_sample_within_reach() -> None:
    owned = owners(SAMPLES, CENTRES)
    assert modes_covered(owned, 0.5) == 2
    assert high_quality_share(owned, 0.5) == 0.5
    assert modes_covered(owned, 5.0) == 3
    assert high_quality_share(owned, 5.0) == 1.0


def test_the_histogram_counts_far_samples_too() -> None:
    assert mode_histogram(owners(SAMPLES, CENTRES), 4).tolist() == [0.5, 0.25, 0.0, 0.25]


@pytest.mark.parametrize(
    ("histogram", "divergence"),
    [
        ([0.25, 0.25, 0.25, 0.25], 0.0),
        ([1.0, 0.0, 0.0, 0.0], math.log(4)),
        ([0.5, 0.5, 0.0, 0.0], math.log(2)),
        ([0.5, 0.25, 0.25, 0.0], 0.5 * math.log(2)),
    ],
)
def test_the_reverse_kl_of_histograms_worked_out_by_hand(histogram: list[float], divergence: float) -> None:
    assert reverse_kl(torch.tensor(histogram, dtype=torch.float64)) == pytest.approx(divergence, abs=1e-12)


def test_no_samples_and_samples_that_are_not_finite_are_refused() -> None:
    for samples in (torch.empty(0, 2), torch.full((3, 2), torch.nan)):
        with pytest.raises(DataError, match="one sample or more, all finite"):
            owners(samples, CENTRES)


def test_the_transport_distance_is_that_of_the_numbers_in_order() -> None:
    numbers = torch.tensor([3.0, 1.0, 2.0])
    assert transport_distance(numbers, numbers.flip(0)) == 0
    assert transport_distance(numbers, numbers + 0.5) == pytest.approx(0.5)
    assert transport_distance(torch.tensor([0.0, 1.0]), torch.tensor([5.0, 0.0])) == pytest.approx(2.0)
