"""R1, R2 and the one-centred penalty: worked values, the gradient by hand, and WGAN-GP as a special case."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ebgan.energies import AutoencoderEnergy, ScalarEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Nets
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPGenerator
from ebgan.objectives import EBGAN, WGANGP, LossSensitiveGAN, Objective, Regularised, Scheduled
from ebgan.records import Batch
from ebgan.schedules import Linear
from ebgan.training.step import train_step

SHAPE = (1, 3, 3)
BARE = LossSensitiveGAN(scale=0.0, real_weight=0.0, slope=1.0)  # E(x) - E(G(z)) alone, the critic of WGAN
CRITIC = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=2, width=8, noise=3, std=0.5),
        discriminator=MLPDiscriminator(depth=3, width=8, batch_norm=False, std=0.5),
    ),
    energy=ScalarEnergy(),
    objective=Regularised(inner=BARE, data=3.0),
    precision="fp64",
)
AUTOENCODER = replace(
    CRITIC,
    nets=replace(CRITIC.nets, discriminator=MLPAutoencoder(depth=3, width=8, batch_norm=False, std=0.5)),
    energy=AutoencoderEnergy(),
    objective=Regularised(inner=EBGAN(margin=2.0), data=3.0, samples=0.5),
)


def images(count: int, seed: int) -> Tensor:
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def steps(experiment: Experiment, count: int = 6) -> dict[str, Tensor]:
    """The weights after some steps, and all losses."""
    game, progress = build(experiment, SHAPE)
    found = {}
    for index in range(count):
        before = int(progress.seen)
        batch = Batch(images(8, index).expand(*game.randomness.seeds.shape, 8, *SHAPE))
        progress, outcome = train_step(game, progress, lambda: batch, experiment.turns.now(0), seen=before)  # noqa: B023
        assert outcome.finite.all()
        found |= {f"{index}: {name}": value for name, value in outcome.values.items()}
    return found | game.generator.weights() | game.discriminator.weights()


@pytest.mark.parametrize(
    ("place", "slopes", "value"),
    [("data", [2.0, 0.0], 6.0), ("samples", [1.0, 1.0], 1.0), ("between", [1.0, 3.0], 8.0)],
)
def test_the_penalties_of_a_worked_example(place: str, slopes: list[float], value: float) -> None:
    objective = Regularised(inner=EBGAN(), data=3.0 * 2, samples=2.0, between=4.0)
    assert objective.penalty(objective.init(), place, torch.tensor(slopes)).total == value
    lazy = replace(objective, every=16)
    assert lazy.penalty(lazy.init(), place, torch.tensor(slopes)).total == 16 * value


def test_a_penalty_between_around_the_bare_critic_is_wgan_gp() -> None:
    paper = steps(replace(CRITIC, objective=WGANGP(gradient_penalty=10.0)))
    ours = steps(replace(CRITIC, objective=Regularised(inner=BARE, between=10.0)))
    renamed = {name.replace("slope_between", "gradient_penalty"): value for name, value in ours.items()}
    terms = {f"{step}: discriminator/{term}" for step in range(6) for term in ("real", "fake", "pairs")}
    assert renamed.keys() - terms == paper.keys() - terms
    for name in paper.keys() - terms:
        torch.testing.assert_close(renamed[name], paper[name], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("experiment", [CRITIC, AUTOENCODER], ids=["critic", "auto-encoder"])
def test_the_gradient_of_r1_is_that_of_the_squared_slope_by_finite_differences(experiment: Experiment) -> None:
    game, progress = build(experiment, SHAPE)
    net, point = game.discriminator.net, images(4, 0)
    weights = dict(net.named_parameters())
    r1, *_ = game.penalties(progress.objective, point, images(4, 1), 0)
    found = torch.autograd.grad(r1.terms["slope_data"], list(weights.values()), allow_unused=True)

    def by_hand() -> float:
        """3 / 2 of the mean squared length of the energy's gradient, of differences of energies."""
        apart = torch.eye(9, dtype=torch.float64).reshape(9, *SHAPE) * 1e-5
        with torch.no_grad():
            slopes = [(game.read(point + each).energy - game.read(point - each).energy) / 2e-5 for each in apart]
        return 1.5 * torch.stack(slopes, -1).square().sum(-1).mean().item()

    assert r1.total.item() == pytest.approx(by_hand(), rel=1e-6)
    for (name, weight), gradient in zip(weights.items(), found, strict=True):
        entry = weight.data.view(-1)
        kept = entry[0].item()
        sides = []
        for side in (1e-4, -1e-4):
            entry[0] = kept + side
            sides.append(by_hand())
        entry[0] = kept
        expected = 0.0 if gradient is None else gradient.view(-1)[0].item()
        assert (sides[0] - sides[1]) / 2e-4 == pytest.approx(expected, rel=1e-4, abs=1e-6), name


def test_penalties_are_due_in_one_turn_of_several_by_the_images_seen() -> None:
    lazy = replace(AUTOENCODER, objective=replace(AUTOENCODER.objective, every=3))
    game, progress = build(lazy, SHAPE)
    for first in (int, torch.tensor):
        due = [
            len(list(game.penalties(progress.objective, images(4, 0), images(4, 1), first(seen))))
            for seen in range(0, 32, 4)
        ]
        assert due == [2, 0, 0, 2, 0, 0, 2, 0]


def test_no_penalty_of_weight_0_is_taken_and_every_other_is() -> None:
    assert Regularised(inner=EBGAN()).asks.slopes == {}
    assert Regularised(inner=WGANGP(), samples=1.0, every=4).asks.slopes == {"between": 1, "samples": 4}
    fading = Scheduled(Regularised(inner=EBGAN(margin=1.0)), data=Linear(start=0.0, end=1.0, finish=9))
    assert fading.asks.slopes == {"data": 1}


@pytest.mark.parametrize("experiment", [CRITIC, AUTOENCODER], ids=["critic", "auto-encoder"])
def test_each_model_of_a_stack_fares_as_it_does_alone(experiment: Experiment) -> None:
    models = [
        replace(experiment, seed=seed, objective=replace(experiment.objective, data=weight, every=2))
        for seed, weight in enumerate((0.5, 2.0, 8.0))
    ]
    together = steps(stacked(models))
    for index, model in enumerate(models):
        for name, value in steps(model).items():
            same = together[name][index] if together[name].dim() > value.dim() else together[name]
            torch.testing.assert_close(same, value, rtol=1e-9, atol=1e-8)  # Adam makes steps of rounding


@pytest.mark.parametrize(("place", "inner"), [("between", WGANGP()), ("data", Regularised(inner=EBGAN(), data=1.0))])
def test_two_penalties_at_one_place_are_refused(place: str, inner: Objective) -> None:
    with pytest.raises(UsageError, match=rf"objective.{place}=2.0: {type(inner).__name__} has a penalty of its own"):
        Regularised(inner=inner, **{place: 2.0})


def test_an_image_without_error_has_a_penalty_with_a_finite_gradient() -> None:
    """The norm of a residual of 0: an auto-encoder without shifts gives back an image of zeros."""
    game, progress = build(AUTOENCODER, SHAPE)
    zeros = torch.zeros(2, *SHAPE, dtype=torch.float64)
    with torch.no_grad():
        assert not game.read(zeros).energy.any()
    for penalty in game.penalties(progress.objective, zeros, zeros, 0):
        gradients = torch.autograd.grad(penalty.total, [*game.discriminator.net.parameters()], allow_unused=True)
        assert all(each.isfinite().all() for each in gradients if each is not None)
