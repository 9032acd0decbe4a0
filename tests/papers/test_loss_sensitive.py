"""The loss-sensitive GAN and GLS-GAN: worked values, gradients, regularisers, and how they contain WGAN and EBGAN."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ebgan.energies import ScalarEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Nets, Optimisers
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets.mlp import MLPDiscriminator, MLPGenerator
from ebgan.objectives import EBGAN, LossSensitiveGAN, Scheduled
from ebgan.objectives.loss_sensitive import distance
from ebgan.records import Batch, Losses, Reading, Sample
from ebgan.schedules import Constant
from ebgan.training.optim import Adam
from ebgan.training.step import train_step

REAL, FAKE, DELTA = [1.0, 2.0], [3.0, 1.0], [1.0, 4.0]  # a = Delta + E(x) - E(G(z)) = [-1, 5]
CRITIC = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=2, width=8, noise=3, std=0.5),
        discriminator=MLPDiscriminator(depth=3, width=8, batch_norm=False, std=0.5),
    ),
    energy=ScalarEnergy(),
    objective=LossSensitiveGAN(real_weight=0.0, gradient_penalty=10.0),
    optimisers=Optimisers(discriminator=Adam(lr=1e-2), generator=Adam(lr=1e-2)),
    precision="fp64",
)


def reading(energy: list[float], pixel: list[float]) -> Reading:
    """Images of one pixel, so that the distance of a pair is the difference of two numbers."""
    images = torch.tensor(pixel, dtype=torch.float64)[:, None, None, None]
    return Reading(images.requires_grad_(), torch.tensor(energy, dtype=torch.float64, requires_grad=True))


def pairs() -> tuple[Reading, Reading]:
    return reading(REAL, [0.0, 0.0]), reading(FAKE, DELTA)


def losses(objective: LossSensitiveGAN, real: Reading, fake: Reading) -> Losses:
    return objective.discriminator(objective.init(), real, fake, Batch(real.images))


def gradients(objective: LossSensitiveGAN) -> tuple[list[float], list[float]]:
    real, fake = pairs()
    of_real, of_fake = torch.autograd.grad(losses(objective, real, fake).total, (real.energy, fake.energy))
    return of_real.tolist(), of_fake.tolist()


def test_the_worked_example_of_the_slides_is_4() -> None:
    found = losses(LossSensitiveGAN(scale=1.0), *pairs())
    assert found.terms["real"].item() == 1.5
    assert found.terms["pairs"].item() == 2.5
    assert found.total.item() == 4.0


@pytest.mark.parametrize(("slope", "value"), [(0.0, 2.5), (1.0, 2.0), (0.2, 2.4), (0.01, 2.495), (-1.0, 3.0)], ids=str)
def test_each_slope_of_gls_gan_has_its_value(slope: float, value: float) -> None:
    assert losses(LossSensitiveGAN(scale=1.0, real_weight=0.0, slope=slope), *pairs()).total.item() == pytest.approx(
        value
    )


@pytest.mark.parametrize(("scale", "value"), [(1.0, 2.5), (0.5, 1.5)])
def test_the_scale_multiplies_the_margin_of_each_pair(scale: float, value: float) -> None:
    assert losses(LossSensitiveGAN(scale=scale, real_weight=0.0), *pairs()).total.item() == value


def test_lambda_as_a_weight_of_the_pairs_is_the_inverse_weight_of_the_data() -> None:
    half = losses(LossSensitiveGAN(scale=1.0, real_weight=2.0), *pairs()).total.item() / 2
    assert half == 2.75  # E(x) + 1/2 [a]_+


@pytest.mark.parametrize("slope", [0.0, 0.25, -1.0])
def test_a_pair_pulls_with_one_over_the_batch_where_it_falls_short_and_with_the_slope_where_not(slope: float) -> None:
    of_real, of_fake = gradients(LossSensitiveGAN(scale=1.0, real_weight=0.0, slope=slope))
    assert of_real == [slope / 2, 0.5]
    assert of_fake == [-slope / 2, -0.5]


def test_a_slope_of_1_has_the_gradient_of_wgans_critic_whatever_the_margin() -> None:
    for scale in (0.0, 1.0, 100.0):
        assert gradients(LossSensitiveGAN(scale=scale, real_weight=0.0, slope=1.0)) == ([0.5, 0.5], [-0.5, -0.5])


def test_the_margin_is_a_number_through_which_no_gradient_flows() -> None:
    real, fake = pairs()
    found = torch.autograd.grad(
        losses(LossSensitiveGAN(), real, fake).total, (real.images, fake.images), allow_unused=True
    )
    assert found == (None, None)


def test_with_a_margin_of_m_minus_the_datas_energy_it_is_ebgans_hinge() -> None:
    margin = 10.0
    real, fake = reading(REAL, [0.0, 0.0]), reading(FAKE, [margin - energy for energy in REAL])
    ours = losses(LossSensitiveGAN(scale=1.0), real, fake).total
    assert ours == EBGAN(margin=margin).discriminator(EBGAN().init(), real, fake, Batch(real.images)).total


def test_the_generator_descends_the_energy_alone() -> None:
    assert LossSensitiveGAN().generator(LossSensitiveGAN().init(), pairs()[1], Sample(pairs()[1].images)).total == 2.0


def test_distances_are_taken_over_all_pixels_of_each_pair() -> None:
    real, fake = torch.zeros(2, 1, 2, 2), torch.tensor([3.0, -4.0, 0.0, 0.0]).reshape(1, 1, 2, 2).repeat(2, 1, 1, 1)
    fake[1] *= 2
    assert distance("l1", real, fake).tolist() == [7.0, 14.0]
    assert distance("l2", real, fake).tolist() == [5.0, 10.0]


def test_the_authors_scale_gives_a_margin_of_about_1_on_64x64_colour_images() -> None:
    far: Tensor = distance("l1", torch.zeros(1, 3, 64, 64), torch.full((1, 3, 64, 64), 0.55))
    assert (LossSensitiveGAN().scale * far).item() == pytest.approx(1.35, abs=0.01)


def images(*lead: int, seed: int = 0) -> Tensor:
    return torch.rand(*lead, 1, 3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_gradient_penalty_is_its_weight_times_the_mean_slope() -> None:
    objective = LossSensitiveGAN(gradient_penalty=10.0)
    found = objective.penalty(objective.init(), "data", torch.tensor([0.5, 1.5, 4.0]))
    assert found.total == found.terms["gradient_penalty"] == 20.0


def test_without_a_weight_nothing_is_probed() -> None:
    assert LossSensitiveGAN().asks.slopes == {}
    with pytest.raises(ValueError, match="LossSensitiveGAN asks for no slopes"):
        LossSensitiveGAN().penalty(LossSensitiveGAN().init(), "data", torch.ones(2))
    assert Scheduled(LossSensitiveGAN(), gradient_penalty=Constant(value=1.0)).asks.slopes == {"data": 1}


def test_slopes_are_taken_at_the_data_over_all_pixels_whatever_the_samples_are() -> None:
    game, progress = build(CRITIC, (1, 3, 3))
    point, steps = images(4), torch.eye(9, dtype=torch.float64).reshape(9, 1, 3, 3) * 1e-6
    gradient = torch.stack(
        [(game.read(point + step).energy - game.read(point - step).energy) / 2e-6 for step in steps], -1
    )
    for seed in (1, 2):
        slopes = game.slopes("data", point, images(4, seed=seed), progress.seen)
        torch.testing.assert_close(slopes, gradient.norm(dim=-1), rtol=1e-6, atol=1e-9)
    assert not point.requires_grad


def slope_after(weight: float | None, steps: int = 60) -> float:
    game, progress = build(replace(CRITIC, objective=replace(CRITIC.objective, gradient_penalty=weight)), (1, 3, 3))
    for step in range(steps):
        progress, outcome = train_step(game, progress, lambda: Batch(images(16, seed=step)))  # noqa: B023
        assert outcome.finite
    probing = replace(game, objective=CRITIC.objective)
    return probing.slopes("data", images(64, seed=-1), images(64), progress.seen).mean().item()


def test_a_game_with_the_penalty_ends_with_a_flatter_energy_at_the_data() -> None:
    assert slope_after(1.0) < 0.5 * slope_after(None)


def test_clipping_as_in_the_gls_gan_code_holds_every_weight_of_the_critic() -> None:
    clipped = Optimisers(discriminator=Adam(lr=1e-2, clip=0.08), generator=Adam(lr=1e-2))
    game, progress = build(replace(CRITIC, optimisers=clipped), (1, 3, 3))
    for step in range(5):
        progress, _ = train_step(game, progress, lambda: Batch(images(16, seed=step)))  # noqa: B023
        assert max(weight.abs().max().item() for weight in game.discriminator.optimiser.weights) == 0.08
    assert max(weight.abs().max().item() for weight in game.generator.optimiser.weights) > 0.5


def test_each_model_of_a_stack_with_regularisers_of_its_own_fares_as_it_does_alone() -> None:
    members = [
        replace(
            CRITIC,
            objective=replace(CRITIC.objective, gradient_penalty=penalty),
            optimisers=Optimisers(
                discriminator=Adam(lr=2.0**-6, weight_decay=decay, clip=clip), generator=Adam(lr=2.0**-7)
            ),
            seed=seed,
        )
        for seed, (penalty, decay, clip) in enumerate([(0.5, 0.0, 0.25), (2.0, 0.125, 0.5), (8.0, 0.5, 1.0)])
    ]
    stack, progress = build(stacked(members), (1, 3, 3))
    batches = [images(3, 6, seed=step) for step in range(8)]
    for batch in batches:
        progress, _ = train_step(stack, progress, lambda: Batch(batch))  # noqa: B023
    for model, member in enumerate(members):
        game, alone = build(member, (1, 3, 3))
        for batch in batches:
            alone, _ = train_step(game, alone, lambda: Batch(batch[model]))  # noqa: B023
        for together, weight in zip(
            stack.discriminator.optimiser.weights, game.discriminator.optimiser.weights, strict=True
        ):
            torch.testing.assert_close(together[model], weight, rtol=1e-9, atol=1e-11)


def test_the_datas_energy_is_minimised_only_where_it_has_a_floor() -> None:
    critic = Nets(discriminator=MLPDiscriminator())
    with pytest.raises(UsageError, match="needs an energy with a floor of 0; ScalarEnergy has none"):
        Experiment(nets=critic, energy=ScalarEnergy(), objective=LossSensitiveGAN())
    Experiment(nets=critic, energy=ScalarEnergy(nonnegative=True), objective=LossSensitiveGAN())
    Experiment(nets=critic, energy=ScalarEnergy(), objective=LossSensitiveGAN(real_weight=0.0))
