import warnings

import pytest
import torch
from torchmetrics.image.kid import KernelInceptionDistance

from ebgan.errors import DataError
from ebgan.metrics import kernel_distance
from ebgan.metrics.kernel import KernelReference


def features(seed: int, count: int = 300) -> torch.Tensor:
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(seed))


def closed_form(real: torch.Tensor, fake: torch.Tensor) -> float:
    """The unbiased MMD^2 of equally many rows with the kernel (x.y / width + 1)^3, pair by pair."""
    count, width = real.shape

    def kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (x.double() @ y.double().T / width + 1) ** 3

    others = 1 - torch.eye(count)
    within = (kernel(real, real) * others + kernel(fake, fake) * others).sum() / (count * (count - 1))
    return float(within - 2 * kernel(real, fake).mean())


class Computed(torch.nn.Module):
    """What torchmetrics takes for a feature extractor, over features that are computed already."""

    num_features = 5

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return given


def by_torchmetrics(real: torch.Tensor, fake: torch.Tensor, subset: int, subsets: int) -> float:
    """The distance in float64, over the rows that the global generator draws from seed 0."""
    metric = KernelInceptionDistance(Computed(), subsets=subsets, subset_size=subset)
    metric.update(real.double(), real=True)
    metric.update(fake.double(), real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return float(metric.compute()[0])


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`")
@pytest.mark.parametrize(("reals", "fakes", "subset"), [(300, 200, 100), (150, 400, 150), (1200, 1100, 1000)])
def test_the_distance_is_that_of_torchmetrics_over_the_same_draws(reals: int, fakes: int, subset: int) -> None:
    real, fake = features(0, reals).relu(), features(1, fakes).relu() * 1.5 + 0.2
    expected = by_torchmetrics(real, fake, subset, 3)
    assert kernel_distance(real, fake, subset=subset, subsets=3) == pytest.approx(expected, rel=4e-6)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`")
def test_rounding_is_small_beside_a_distance_of_almost_nothing() -> None:
    real, fake = features(0).relu() * 5, features(1).relu() * 5  # the mean of the kernel is about 500
    expected = by_torchmetrics(real, fake, 100, 20)
    assert kernel_distance(real, fake, subset=100, subsets=20) == pytest.approx(expected, abs=5e-5)


def test_a_reference_serves_any_number_of_sets_of_samples() -> None:
    reference = KernelReference.of(features(0), 200, subset=50)
    for seed in (1, 2):
        fake = features(seed, 200)
        assert reference.distance(fake) == kernel_distance(features(0), fake, subset=50)


def test_sets_from_one_distribution_are_at_about_no_distance() -> None:
    assert kernel_distance(features(0), features(1), subset=100) == pytest.approx(0, abs=0.05)


def test_a_shift_grows_the_distance() -> None:
    distances = [kernel_distance(features(0), features(1) + shift, subset=100) for shift in (0, 0.5, 1, 2)]
    assert distances == sorted(distances)
    assert distances[1] > 0.1


def test_whole_sets_give_the_unbiased_estimate() -> None:
    real, fake = features(0), features(1) * 1.5 + 0.3
    assert kernel_distance(real, fake, subset=300, subsets=2) == pytest.approx(closed_form(real, fake), rel=1e-6)


def test_the_seed_alone_draws_the_subsets_and_torch_is_left_as_it_was() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first = kernel_distance(features(0), features(1), subset=50)
    assert torch.equal(before, torch.get_rng_state())
    torch.rand(3)
    assert kernel_distance(features(0), features(1), subset=50) == first
    assert kernel_distance(features(0), features(1), subset=50, seed=1) != first


def test_a_set_smaller_than_the_subset_is_taken_whole_and_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert kernel_distance(features(0, 20), features(1, 30)) == kernel_distance(
            features(0, 20), features(1, 30), subset=20
        )


def test_features_that_have_no_distance_are_refused() -> None:
    with pytest.raises(DataError, match="real features: 1 given"):
        kernel_distance(features(0, 1), features(1))
    with pytest.raises(DataError, match="fake features: 1 given"):
        kernel_distance(features(0), features(1, 1))
