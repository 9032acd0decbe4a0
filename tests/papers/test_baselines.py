"""The least-squares GAN and WGAN-GP: worked values, and slopes that are known."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ebgan.energies import ScalarEnergy
from ebgan.experiment import Experiment, Nets
from ebgan.experiment.building import build
from ebgan.nets.mlp import MLPDiscriminator, MLPGenerator
from ebgan.objectives import WGANGP, LeastSquaresGAN
from ebgan.records import Batch, Reading, Sample
from ebgan.training.optim import Adam

NO_IMAGES = torch.zeros(2, 1, 1, 1)
REAL, FAKE = Reading(NO_IMAGES, torch.tensor([-1.0, -3.0])), Reading(NO_IMAGES, torch.tensor([0.0, 2.0]))
CRITIC = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=2, width=8, noise=3, std=0.5),
        discriminator=MLPDiscriminator(depth=3, width=8, batch_norm=False, std=0.5),
    ),
    energy=ScalarEnergy(),
    objective=WGANGP(),
    precision="fp64",
)


def test_the_least_squares_of_a_worked_example() -> None:
    objective = LeastSquaresGAN()
    losses = objective.discriminator(objective.init(), REAL, FAKE, Batch(NO_IMAGES))
    assert losses.terms["real"] == 1.0  # scores 1 and 3 against 1: (0 + 4) / 2 / 2
    assert losses.terms["fake"] == 1.0  # scores 0 and -2 against 0: (0 + 4) / 2 / 2
    assert objective.generator(objective.init(), FAKE, Sample(NO_IMAGES)).total == 2.5  # (1 + 9) / 2 / 2


def test_its_discriminators_optimum_is_the_share_of_the_data_between_the_two_targets() -> None:
    shares, scores = torch.tensor([0.1, 0.5, 0.9]), torch.linspace(-1, 2, 3001)
    objective, state = LeastSquaresGAN(), LeastSquaresGAN().init((len(scores),))
    each = Reading(NO_IMAGES.expand(len(scores), *NO_IMAGES.shape), -scores[:, None].expand(-1, 2))  # a model a score
    terms = objective.discriminator(state, each, each, Batch(NO_IMAGES)).terms
    cost = shares * terms["real"][:, None] + (1 - shares) * terms["fake"][:, None]
    torch.testing.assert_close(scores[cost.argmin(0)], shares, atol=1e-3, rtol=0)


def test_the_critic_of_wgan_descends_a_difference_of_energies_and_the_penalty_is_0_where_its_slope_is_1() -> None:
    objective = WGANGP()
    assert objective.discriminator(objective.init(), REAL, FAKE, Batch(NO_IMAGES)).total == -3.0
    assert objective.generator(objective.init(), FAKE, Sample(NO_IMAGES)).total == 1.0
    for slopes, value in (([1.0, 1.0], 0.0), ([0.0, 0.0], 10.0), ([3.0, 1.0], 20.0)):
        assert objective.penalty(objective.init(), "between", torch.tensor(slopes)).total == value


def images(count: int, seed: int) -> Tensor:
    return torch.rand(count, 1, 3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_slopes_are_those_of_finite_differences() -> None:
    game, progress = build(CRITIC, (1, 3, 3))
    point = images(4, 0)
    slopes = game.slopes("between", point, point, progress.seen)  # all between an image and itself is that image
    steps = torch.eye(9, dtype=torch.float64).reshape(9, 1, 3, 3) * 1e-6
    gradient = torch.stack(
        [(game.read(point + step).energy - game.read(point - step).energy) / 2e-6 for step in steps], -1
    )
    torch.testing.assert_close(slopes, gradient.norm(dim=-1), rtol=1e-6, atol=1e-9)


def test_probed_images_lie_on_the_lines_between_data_and_samples_at_places_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    game, progress = build(CRITIC, (1, 3, 3))
    read: list[Tensor] = []
    monkeypatch.setattr(
        ScalarEnergy, "read", lambda self, net, x: (read.append(x), Reading(x, x.flatten(-3).sum(-1)))[1]
    )
    zeros, ones = torch.zeros(5, 1, 3, 3), torch.ones(5, 1, 3, 3)
    for first in (0, 0, 5):
        torch.testing.assert_close(game.slopes("between", ones, zeros, progress.seen + first), torch.full((5,), 3.0))
    places = [x.detach().flatten(1) for x in read]
    assert torch.equal(places[0].amin(1), places[0].amax(1))
    assert len(places[0][:, 0].unique()) == 5
    assert torch.equal(places[0], places[1])
    assert not torch.equal(places[0], places[2])
    assert 0 <= min(x.min() for x in places) <= max(x.max() for x in places) <= 1


def test_descending_the_penalty_brings_the_slopes_to_1() -> None:
    optimisers = replace(CRITIC.optimisers, discriminator=Adam(lr=1e-2))
    game, progress = build(replace(CRITIC, optimisers=optimisers), (1, 3, 3))

    def slopes() -> Tensor:
        return game.slopes("between", images(32, 1), images(32, 2) - 1, progress.seen)

    before = (slopes() - 1).abs().mean()
    for _ in range(200):
        same = game.read(images(32, 1))
        nothing = game.objective.discriminator(progress.objective, same, same, Batch(same.images))
        loss = nothing.plus(game.objective.penalty(progress.objective, "between", slopes())).total
        game.discriminator.optimiser.descend(loss, progress.seen)
    assert (slopes() - 1).abs().mean() < 0.05 < 0.5 * before
