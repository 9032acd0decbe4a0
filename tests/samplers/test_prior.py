"""Samples from noise: which numbers are drawn follows from the moment."""

import pytest
import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.nets.base import BuildContext, Generator
from ebgan.nets.mlp import MLPGenerator
from ebgan.randomness import Randomness
from ebgan.records import Batch
from ebgan.samplers import DrawKey, Prior

SEED = Randomness.of(3)


class Echo(Generator):
    """A generator of two noises that shows them."""

    noise = ((4,), (2, 2))

    def forward(self, *noise: Tensor) -> Tensor:
        first, second = noise
        return (first.unflatten(-1, (2, 2)) + 100 * second).unsqueeze(-3)


def no_images() -> Batch:
    raise AssertionError("samples from noise need no images of the data")


def noises(prior: Prior, key: DrawKey) -> list[Tensor]:
    return prior.noise(Echo(), key)


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_each_noise_of_a_generator_is_drawn_in_its_shape_and_apart(distribution: str) -> None:
    prior = Prior(distribution=distribution)  # type: ignore[arg-type]
    first, second = noises(prior, DrawKey(SEED, 0, 0, 6))
    assert first.shape == (6, 4)
    assert second.shape == (6, 2, 2)
    assert not torch.equal(first.flatten(), second.flatten())
    images = prior.sample(Echo(), DrawKey(SEED, 0, 0, 6), no_images).images
    assert torch.equal(images, (first.unflatten(-1, (2, 2)) + 100 * second).unsqueeze(-3))


def test_the_distributions_are_those_named() -> None:
    normal, uniform = (noises(Prior(distribution=name), DrawKey(SEED, 0, 0, 5000))[0] for name in ("normal", "uniform"))
    assert (normal.mean().item(), normal.std().item()) == pytest.approx((0, 1), abs=0.03)
    assert -1 < uniform.min().item() < -0.99 < 0.99 < uniform.max().item() <= 1
    assert (uniform.mean().item(), uniform.std().item()) == pytest.approx((0, 3**-0.5), abs=0.03)


def test_another_moment_is_another_noise_and_the_same_one_the_same() -> None:
    moments = [
        DrawKey(SEED, 0, 0, 6),
        DrawKey(SEED, 6, 0, 6),
        DrawKey(SEED, 0, 1, 6),
        DrawKey(Randomness.of(4), 0, 0, 6),
    ]
    drawn = [noises(Prior(), key)[0] for key in moments]
    assert len({tuple(noise.flatten().tolist()) for noise in drawn}) == 4
    assert torch.equal(noises(Prior(), moments[0])[0], drawn[0])


def test_samples_do_not_depend_on_how_many_are_drawn_at_a_time() -> None:
    whole = noises(Prior(), DrawKey(SEED, torch.tensor(10), 1, 6))[1]
    parts = [noises(Prior(), DrawKey(SEED, first, 1, count))[1] for first, count in ((10, 2), (12, 1), (13, 3))]
    assert torch.equal(torch.cat(parts), whole)


def test_each_model_of_a_stack_draws_its_own_samples() -> None:
    spec, seeds = MLPGenerator(depth=2, width=4, noise=3, std=0.5), [3, 4]

    def images(randomness: Randomness) -> Tensor:
        generator = spec.build(BuildContext((1, 2, 2), (-1.0, 1.0), randomness)).eval()
        return Prior().sample(generator, DrawKey(randomness, 5, 0, 6), no_images).images

    together = images(Randomness.of(torch.tensor(seeds)))
    for model, seed in enumerate(seeds):
        torch.testing.assert_close(together[model], images(Randomness.of(seed)))


def test_truncated_noise_is_normal_noise_within_the_threshold() -> None:
    (noise, _), prior = noises(Prior(), DrawKey(SEED, 0, 0, 5000)), Prior()
    truncated = prior.truncated(noise, 1.0)
    assert 0.99 < truncated.abs().max().item() <= 1
    # of a normal number within -1 to 1 the variance is 1 - 2 phi(1) / (2 Phi(1) - 1) = 0.2911
    assert (truncated.mean().item(), truncated.var().item()) == pytest.approx((0, 0.2911), abs=0.01)
    assert torch.equal(truncated.flatten().argsort(), noise.flatten().argsort())
    torch.testing.assert_close(prior.truncated(noise, 8.0), noise)


def test_truncated_uniform_noise_is_uniform_within_the_threshold() -> None:
    prior = Prior(distribution="uniform")
    noise = noises(prior, DrawKey(SEED, 0, 0, 100))[0]
    assert torch.equal(prior.truncated(noise, 0.5), noise / 2)
    assert torch.equal(prior.truncated(noise, 3.0), noise)


@pytest.mark.parametrize("threshold", [0.0, -1.0, float("nan")])
def test_a_threshold_that_leaves_no_noise_is_refused(threshold: float) -> None:
    with pytest.raises(UsageError, match="expected a number above 0"):
        Prior().truncated(torch.zeros(1, 2), threshold)


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_a_way_leads_from_the_one_noise_to_the_other(distribution: str) -> None:
    prior = Prior(distribution=distribution)  # type: ignore[arg-type]
    start, end = (noises(prior, DrawKey(SEED, first, 0, 50))[1] for first in (0, 50))
    torch.testing.assert_close(prior.between(start, end, 0.0), start)
    torch.testing.assert_close(prior.between(start, end, 1.0), end)
    torch.testing.assert_close(prior.between(start, end, 0.3), prior.between(end, start, 0.7))


def test_normal_noise_keeps_its_length_and_its_pace_on_the_way() -> None:
    start, end = torch.tensor([[3.0, 0, 0]]), torch.tensor([[0.0, 3, 0]])
    third, half = (Prior().between(start, end, share) for share in (1 / 3, 1 / 2))
    assert third[0].tolist() == pytest.approx([3 * 0.75**0.5, 1.5, 0])
    assert half.norm().item() == pytest.approx(3)
    ends = [noises(Prior(), DrawKey(SEED, first, 0, 500))[0].view(20, 100) for first in (0, 500)]
    assert Prior().between(*ends, 0.5).std().item() == pytest.approx(1, abs=0.05)
    assert torch.lerp(*ends, 0.5).std().item() == pytest.approx(0.5**0.5, abs=0.05)


def test_uniform_noise_keeps_its_range_on_the_way() -> None:
    corners = torch.tensor([[1.0, 1]]), torch.tensor([[1.0, -1]])
    assert Prior(distribution="uniform").between(*corners, 0.5).tolist() == [[1, 0]]


@pytest.mark.parametrize("end", [2.0, -2.0])
def test_noise_of_one_number_or_in_one_direction_goes_straight(end: float) -> None:
    assert Prior().between(torch.tensor([[1.0]]), torch.tensor([[end]]), 0.5).item() == pytest.approx((1 + end) / 2)
