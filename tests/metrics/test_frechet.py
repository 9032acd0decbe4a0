import pytest
import torch
from torchmetrics.image.fid import FrechetInceptionDistance

from ebgan.errors import DataError
from ebgan.metrics import frechet_distance


def features(count: int = 4000, width: int = 6) -> torch.Tensor:
    """Rows whose sample mean is 0 and whose sample covariance is the identity, to rounding."""
    rows = torch.randn(count, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows = rows - rows.mean(0)
    whitening = torch.linalg.cholesky(torch.linalg.inv(rows.T.cov()))
    return rows @ whitening


class Computed(torch.nn.Module):
    """What torchmetrics takes for a feature extractor, over features that are computed already."""

    num_features = 6

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return given


@pytest.mark.parametrize("fakes", [5, 500])  # fewer samples than features leave the covariance without full rank
def test_the_distance_is_that_of_torchmetrics(fakes: int) -> None:
    generator = torch.Generator().manual_seed(1)
    mixed = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    real = features() @ mixed
    fake = torch.randn(fakes, 6, generator=generator, dtype=torch.float64).relu() @ mixed.T + 0.3
    metric = FrechetInceptionDistance(Computed())
    metric.update(real, real=True)
    metric.update(fake, real=False)
    metric.set_dtype(torch.float64)
    assert frechet_distance(real, fake) == pytest.approx(float(metric.compute()), rel=1e-6)


def test_a_set_is_at_no_distance_from_itself() -> None:
    assert frechet_distance(features(), features()) == pytest.approx(0, abs=1e-9)


def test_the_distance_of_shifted_and_scaled_gaussians_is_the_closed_form() -> None:
    scale = torch.tensor([1.0, 2, 3, 0.5, 1, 1], dtype=torch.float64)
    shift = torch.tensor([3.0, 4, 0, 0, 0, 0], dtype=torch.float64)
    expected = shift.square().sum() + (scale - 1).square().sum()
    assert frechet_distance(features(), features() * scale + shift) == pytest.approx(expected.item(), rel=1e-9)


def test_a_collapsed_set_is_as_far_as_the_whole_covariance() -> None:
    assert frechet_distance(features(), torch.zeros(10, 6)) == pytest.approx(6)


def test_float32_features_are_compared_in_float64() -> None:
    far = features() + 1000  # whose squares leave float32 no digits for the covariance
    assert frechet_distance(far.float(), far.float() + 1) == pytest.approx(6, rel=1e-4)


@pytest.mark.parametrize(
    ("fake", "reason"), [(torch.zeros(1, 6), "2 or more"), (torch.full((5, 6), torch.nan), "NaN or infinite")]
)
def test_features_that_have_no_distance_are_refused(fake, reason: str) -> None:
    with pytest.raises(DataError, match=f"fake features: .*{reason}"):
        frechet_distance(features(10), fake)
