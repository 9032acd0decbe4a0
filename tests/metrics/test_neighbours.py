import pytest
import torch

from ebgan.errors import DataError
from ebgan.metrics import overlap


def features(seed: int, count: int = 1500) -> torch.Tensor:
    return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))


def line(*places: float) -> torch.Tensor:
    return torch.tensor(places, dtype=torch.float32)[:, None]


@pytest.mark.parametrize(
    ("nearest", "expected"),
    [
        # balls of the real images (-8, 0), (-1, 1), (0, 2), (1, 5); of the samples (-0.5, 1.5), (0.5, 2.5), (1.5, 16.5)
        (1, (2 / 3, 3 / 4, 4 / 3, 3 / 4)),
        # (-9, 1), (-3, 3), (-1, 3), (0, 6); (-8, 9), (-6, 9), (0.5, 17.5)
        (2, (2 / 3, 1, 7 / 6, 1)),
    ],
)
def test_a_small_case_gives_what_is_counted_by_hand(nearest, expected) -> None:
    found = overlap(line(-4, 0, 1, 3), line(0.5, 1.5, 9), nearest=nearest)
    assert tuple(found) == pytest.approx(expected)


def test_a_set_shares_all_ground_with_itself() -> None:
    assert tuple(overlap(features(0), features(0))) == (1, 1, 1, 1)


def test_sets_far_apart_share_none() -> None:
    assert tuple(overlap(features(0, 50), features(1, 50) + 100)) == (0, 0, 0, 0)


@pytest.mark.parametrize("nearest", [1, 3, 5])
def test_sets_of_one_distribution_have_the_density_and_coverage_that_theory_expects(nearest) -> None:
    found = overlap(features(0), features(1), nearest=nearest)
    assert found.density == pytest.approx(1, abs=0.07)
    assert found.coverage == pytest.approx(1 - 2**-nearest, abs=0.03)


def test_samples_that_crowd_where_the_data_is_dense_have_a_density_above_1_and_leave_data_uncovered() -> None:
    real, fake = features(0), features(1)
    whole, crowded = overlap(real, fake), overlap(real, fake * 0.5)
    assert crowded.density > 1.5 * whole.density
    assert crowded.precision > whole.precision
    assert crowded.recall < whole.recall
    assert crowded.coverage < whole.coverage


def test_samples_of_one_of_two_clusters_are_precise_and_recall_half() -> None:
    real = torch.cat((features(0, 500), features(1, 500) + 50))
    found = overlap(real, features(2, 1000))
    assert found.precision > 0.9
    assert found.recall == pytest.approx(0.5, abs=0.05)
    assert found.coverage == pytest.approx(0.5, abs=0.02)


def test_one_outlier_of_the_data_deceives_precision_and_not_density() -> None:
    """Its ball is large and holds every sample within, which are far from all other images."""
    real = torch.cat((features(0, 200), torch.full((1, 8), 20.0)))
    far = torch.full((200, 8), 8.0)
    found = overlap(real, far + 0.01 * features(1, 200))
    assert found.precision == 1
    assert found.density == pytest.approx(1 / 5)


def test_too_few_rows_for_a_ball_are_refused() -> None:
    with pytest.raises(DataError, match="5 rows of features, of which none has 5 others"):
        overlap(features(0, 5), features(1, 9))


def test_features_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="fake features: NaN"):
        overlap(features(0, 9), features(1, 9) * torch.nan)
