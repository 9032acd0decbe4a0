"""Relativistic losses: worked values, symmetry of the players, and LS-GAN with a constant distance."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from ebgan.energies import ScalarEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Nets
from ebgan.experiment.building import build
from ebgan.nets.mlp import MLPDiscriminator, MLPGenerator
from ebgan.objectives import LossSensitiveGAN, Relativistic
from ebgan.records import Batch, Losses, Reading, Sample
from ebgan.training.step import train_step

NO_IMAGES = torch.zeros(2, 1, 1, 1)
REAL, FAKE = torch.tensor([1.0, -2.0]), torch.tensor([3.0, 0.5])
CASES = [("softplus", "pair", 0.0), ("softplus", "mean", 0.0), ("hinge", "pair", 4.0), ("hinge", "mean", 3.0)]


def reading(energy: Tensor) -> Reading:
    return Reading(NO_IMAGES, energy)


def losses(objective: Relativistic, real: Tensor, fake: Tensor) -> tuple[Losses, Losses]:
    state, batch = objective.init(), Batch(NO_IMAGES)
    discriminator = objective.discriminator(state, reading(real), reading(fake), batch)
    return discriminator, objective.generator(state, reading(fake), Sample(NO_IMAGES, data=reading(real)))


def test_paired_softplus_is_the_cross_entropy_of_the_difference_of_scores() -> None:
    discriminator, generator = losses(Relativistic(), REAL, FAKE)
    difference = FAKE - REAL  # of scores, real above fake
    torch.testing.assert_close(discriminator.total, cross_entropy(difference, torch.ones(2)))
    torch.testing.assert_close(generator.total, cross_entropy(difference, torch.zeros(2)))


def test_averaged_softplus_is_ragan_of_the_scores() -> None:
    discriminator, generator = losses(Relativistic(against="mean"), REAL, FAKE)
    real, fake = FAKE.mean() - REAL, REAL.mean() - FAKE  # C(x) - mean C(G(z)) and C(G(z)) - mean C(x), for C = -E
    ones, zeros = torch.ones(2), torch.zeros(2)
    torch.testing.assert_close(discriminator.total, cross_entropy(real, ones) + cross_entropy(fake, zeros))
    torch.testing.assert_close(generator.total, cross_entropy(real, zeros) + cross_entropy(fake, ones))


def test_the_hinges_of_a_worked_example() -> None:
    discriminator, generator = losses(Relativistic(loss="hinge", margin=4.0), REAL, FAKE)
    assert discriminator.total == (2.0 + 1.5) / 2  # differences -2 and -2.5 against a margin of 4
    assert generator.total == (6.0 + 6.5) / 2
    discriminator, generator = losses(Relativistic(loss="hinge", against="mean", margin=1.0), REAL, FAKE)
    assert discriminator.total == (0.25 + 0.0) / 2 + (0.0 + 0.0) / 2  # means -0.5 and 1.75
    assert generator.total == (4.5 + 2.0) / 2 + (1.75 + 4.75) / 2


@pytest.mark.parametrize(("loss", "against", "margin"), CASES)
def test_the_generators_loss_is_the_discriminators_with_data_and_samples_exchanged(loss, against, margin) -> None:
    objective = Relativistic(loss=loss, against=against, margin=margin)
    discriminator, _ = losses(objective, FAKE, REAL)
    _, generator = losses(objective, REAL, FAKE)
    assert discriminator.total == generator.total


@pytest.mark.parametrize(("loss", "against", "margin"), CASES)
def test_a_shift_of_all_energies_changes_nothing(loss, against, margin) -> None:
    objective = Relativistic(loss=loss, against=against, margin=margin)
    for one, other in zip(losses(objective, REAL, FAKE), losses(objective, REAL + 8, FAKE + 8), strict=True):
        torch.testing.assert_close(one.total, other.total)


def test_with_the_hinge_it_is_ls_gan_whose_distance_is_constant() -> None:
    """Images that are all 3 apart, and a margin of 0.25 * 3; the generators' gradients agree where no hinge rests."""
    numbers = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(64, generator=numbers, dtype=torch.float64) for _ in range(2))
    images, apart = torch.zeros(64, 1, 1, 1), torch.full((64, 1, 1, 1), 3.0)
    ours = Relativistic(loss="hinge", margin=0.75)
    theirs, state = LossSensitiveGAN(scale=0.25, real_weight=0.0), LossSensitiveGAN().init()
    one = ours.discriminator(state, Reading(images, real), Reading(apart, fake), Batch(images))
    other = theirs.discriminator(state, Reading(images, real), Reading(apart, fake), Batch(images))
    torch.testing.assert_close(one.total, other.total)
    fake.requires_grad_(True)
    mine, qis = (
        ours.generator(state, reading(fake), Sample(images, data=reading(real))),
        theirs.generator(state, reading(fake), Sample(images)),
    )
    active = (0.75 + fake - real).detach() > 0
    assert 0 < active.sum() < len(active)
    (ours_down,), (theirs_down,) = torch.autograd.grad(mine.total, fake), torch.autograd.grad(qis.total, fake)
    assert torch.equal(ours_down[active], theirs_down[active])
    assert not ours_down[~active].any()


def test_the_generators_turn_reads_the_last_batch_by_the_discriminator_that_has_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    experiment = Experiment(
        nets=Nets(
            generator=MLPGenerator(depth=2, width=8, noise=3, std=0.5),
            discriminator=MLPDiscriminator(depth=3, width=8, batch_norm=False, std=0.5),
        ),
        energy=ScalarEnergy(),
        objective=Relativistic(),
        precision="fp64",
    )
    game, progress = build(experiment, (1, 3, 3))
    batches = [torch.rand(4, 1, 3, 3, dtype=torch.float64) for _ in range(2)]
    given = iter(batches)
    seen: list[Tensor] = []

    def noted(objective: Relativistic, state: object, fake: Reading, sample: Sample) -> Losses:
        assert sample.data is not None
        seen.extend((sample.data.energy.detach(), game.read(batches[1]).energy.detach()))
        return Losses.of(fake=fake.energy.mean(-1))

    monkeypatch.setattr(Relativistic, "generator", noted)
    train_step(game, progress, lambda: Batch(next(given)), (2, 1))
    torch.testing.assert_close(seen[0], seen[1])


def test_a_hinge_that_asks_for_nothing_and_a_generator_without_data_are_refused() -> None:
    with pytest.raises(UsageError, match=r"objective.margin=0.0: with the hinge, .* choose a number above 0"):
        Relativistic(loss="hinge")
    with pytest.raises(UsageError, match="Relativistic compares samples with data"):
        Relativistic().generator(Relativistic().init(), reading(FAKE), Sample(NO_IMAGES))
