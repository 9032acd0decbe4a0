import math

import pytest
import torch

from ebgan.data import TOYS
from ebgan.data.toy import Density, Line, Mixture
from ebgan.randomness import Randomness

MODES = {
    "toy.line": 10,
    "toy.gaussian": 1,
    "toy.ring": 8,
    "toy.grid": 25,
    "toy.moons": 100,
    "toy.roll": 150,
}


@pytest.fixture(params=TOYS.values(), ids=TOYS)
def density(request: pytest.FixtureRequest) -> Density:
    return request.param


def draw(density: Density, count: int, seed: int = 0) -> torch.Tensor:
    return density.sample(Randomness.of(seed), count)


def test_each_density_has_the_modes_of_its_name() -> None:
    assert {name: len(density.centres) for name, density in TOYS.items()} == MODES


def test_the_density_is_one_in_all(density: Density) -> None:
    low, high = density.window
    dims = density.centres.shape[-1]
    side = 20_001 if dims == 1 else math.ceil((high - low) / density.sigma) + 1  # sums of Gaussians are exact by then
    axis = torch.linspace(low, high, side, dtype=torch.float64)
    places = torch.stack(torch.meshgrid(*[axis] * dims, indexing="ij"), -1)
    total = sum(density.log_density(rows).exp().sum().item() for rows in places.split(100))
    step = (high - low) / (side - 1)
    assert total * step**dims == pytest.approx(1, abs=5e-4)


def test_points_are_distributed_as_the_density_says(density: Density) -> None:
    """The mean of log p over points of p is the negative entropy, which a second sample has too."""
    one, other = (density.log_density(draw(density, 20_000, seed)) for seed in (1, 2))
    assert one.mean().item() == pytest.approx(other.mean().item(), abs=0.03)
    assert one.isfinite().all()


def test_nearly_all_points_are_within_reach_of_a_mode_and_all_modes_have_equal_shares(density: Density) -> None:
    distance, mode = torch.cdist(draw(density, 20_000), density.centres).min(-1)
    assert (distance <= density.reach + 1e-6).float().mean() > 0.985
    shares = torch.bincount(mode, minlength=len(density.centres)) / 20_000 * len(density.centres)
    assert shares.min() > 0.5
    assert shares.max() < 1.6


def test_a_gaussian_mode_has_its_spread() -> None:
    points = draw(TOYS["toy.ring"], 50_000)
    centres = TOYS["toy.ring"].centres
    distance, mode = torch.cdist(points, centres).min(-1)
    residual = points - centres[mode]
    assert residual.std(0).tolist() == pytest.approx([0.01, 0.01], rel=0.02)
    assert (distance <= 0.03).float().mean().item() == pytest.approx(1 - math.exp(-4.5), abs=2e-3)


def test_the_ring_is_a_circle_and_the_grid_a_lattice() -> None:
    assert TOYS["toy.ring"].centres.norm(dim=-1).tolist() == pytest.approx([1.0] * 8)
    assert sorted(set(TOYS["toy.grid"].centres.flatten().tolist())) == [-4, -2, 0, 2, 4]


@pytest.mark.parametrize("name", ["toy.moons", "toy.roll"])
def test_a_curve_is_a_chain_without_gaps(name: str) -> None:
    density = TOYS[name]
    assert isinstance(density, Mixture)
    distances = torch.cdist(density.centres, density.centres)
    distances.fill_diagonal_(math.inf)
    assert distances.min(-1).values.max() < 1.5 * density.sigma


def test_the_peak_of_a_gaussian_is_known() -> None:
    gaussian = Mixture(places=((1.0,),), sigma=0.5)
    values = gaussian.log_density(torch.tensor([[1.0], [2.0]]))
    peak = -math.log(0.5 * math.sqrt(2 * math.pi))
    assert values.tolist() == pytest.approx([peak, peak - 2])


def test_off_the_line_the_density_is_zero() -> None:
    line = Line(low=0.0, high=4.0)
    assert line.log_density(torch.tensor([[-0.1], [1.0], [4.1]])).exp().tolist() == pytest.approx([0, 0.25, 0])


def test_a_later_stretch_of_points_is_part_of_the_whole_and_a_stack_draws_its_own(density: Density) -> None:
    whole = draw(density, 10)
    assert torch.equal(density.sample(Randomness.of(0), 4, first=6), whole[6:])
    stack = density.sample(Randomness.of(torch.tensor([0, 1])), 10)
    assert torch.equal(stack[0], whole)
    assert not torch.equal(stack[1], whole)
