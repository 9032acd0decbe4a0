"""MAGAN: when the margin moves, by the authors' rule, epoch by epoch."""

import pytest
import torch

from ebgan.nets.base import BuildContext
from ebgan.objectives import MAGAN, Scheduled
from ebgan.objectives.magan import MAGANState
from ebgan.randomness import Randomness
from ebgan.recipes import find
from ebgan.records import Batch, Means, Reading, Sample
from ebgan.training.adamax import Adamax

NO_IMAGES = torch.zeros(2, 1, 1, 1)
TRACE = [  # mean energies of data and samples over an epoch, and the margin after it
    (28.0, 45.0, 30.0),  # the first epoch
    (27.0, 40.0, 30.0),  # the samples' energy fell
    (26.0, 41.0, 26.0),
    (27.0, 42.0, 26.0),  # the data's energy is not below the margin
    (25.0, 24.0, 26.0),  # the samples' energy fell
    (25.0, 24.5, 26.0),  # the data's energy is above the samples'
    (20.0, 30.0, 20.0),
]


def begun(objective: MAGAN, margin: float, images: int = 0) -> MAGANState:
    state = objective.skip_generator(objective.init(), torch.tensor(images))
    return objective.after_pretraining(state, torch.tensor([margin - 5, margin + 5]))


def after_epoch(objective: MAGAN, state: MAGANState, real: float, fake: float, steps: int) -> MAGANState:
    """The state after so many steps that fill an epoch, whose energies wander about their means."""
    for step in range(steps):
        wander = 8.0 * (step - (steps - 1) / 2)
        images = state.images + objective.epoch // steps
        state = objective.update(state, Means(torch.tensor(real + wander), torch.tensor(fake - wander), images))
    return state


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("before", [0, 200])
def test_the_margin_follows_the_trace_of_the_authors_rule(steps: int, before: int) -> None:
    objective = MAGAN(epoch=100)
    state = begun(objective, 30.0, before)
    for real, fake, margin in TRACE:
        state = after_epoch(objective, state, real, fake, steps)
        assert state.margin.item() == margin
        assert state.fake_before.item() == fake
        assert (state.real, state.fake, state.steps) == (0, 0, 0)


def test_samples_whose_energy_is_just_that_of_the_epoch_before_move_nothing() -> None:
    objective = MAGAN(epoch=100)
    state = after_epoch(objective, begun(objective, 30.0), 28.0, 40.0, 2)
    assert after_epoch(objective, state, 26.0, 40.0, 2).margin == 30
    assert after_epoch(objective, state, 26.0, 40.25, 2).margin == 26


def test_within_an_epoch_the_margin_stays() -> None:
    objective = MAGAN(epoch=100)
    state = after_epoch(objective, begun(objective, 30.0), 28.0, 40.0, 2)
    half = objective.update(state, Means(torch.tensor(1.0), torch.tensor(99.0), torch.tensor(150)))
    assert half.margin == 30
    assert (half.real, half.fake, half.steps, half.images) == (1, 99, 1, 150)


def test_an_epoch_ends_with_the_step_that_passes_it_where_the_batch_does_not_divide_it() -> None:
    objective, ends = MAGAN(epoch=100), []
    state = begun(objective, 30.0)
    for images in range(64, 64 * 9, 64):
        state = objective.update(state, Means(torch.tensor(1.0), torch.tensor(2.0), torch.tensor(images)))
        if state.steps == 0:
            ends.append(images)
    assert ends == [128, 256, 320, 448, 512]


def test_the_margin_never_rises() -> None:
    objective, state = MAGAN(epoch=10), begun(MAGAN(epoch=10), 30.0)
    energies = 40 * torch.rand(200, 2, generator=torch.Generator().manual_seed(0))
    margins = []
    for real, fake in energies.tolist():
        state = after_epoch(objective, state, real, fake, 1)
        margins.append(state.margin.item())
    assert margins == sorted(margins, reverse=True)
    assert margins[-1] < 5


def test_the_first_margin_is_the_mean_energy_after_pretraining_and_0_before_it() -> None:
    objective = MAGAN(epoch=100)
    assert objective.init().margin == 0
    assert begun(objective, 30.0, 200).margin == 30
    assert begun(objective, 30.0, 200).images == 200


def test_while_it_is_pretrained_the_discriminators_loss_is_the_energy_of_the_data() -> None:
    objective, real = MAGAN(epoch=100), Reading(NO_IMAGES, torch.tensor([1.0, 3.0]))
    assert objective.data_loss(objective.init(), real, Batch(NO_IMAGES)).total == 2
    assert objective.asks.pretrained
    assert Scheduled(objective).asks.pretrained


def test_its_losses_are_ebgans_with_the_hinge_taken_per_sample() -> None:
    objective = MAGAN(epoch=100)
    real, fake = (Reading(NO_IMAGES, torch.tensor(energy)) for energy in ([1.0, 3.0], [4.0, 12.0]))
    state = begun(objective, 10.0)
    assert objective.discriminator(state, real, fake, Batch(NO_IMAGES)).total == 5.0
    assert objective.generator(state, fake, Sample(NO_IMAGES)).total == 8.0


def test_the_autoencoder_of_its_mnist_recipe_is_the_authors() -> None:
    experiment = find("mnist.magan").make()
    net = experiment.nets.discriminator.build(BuildContext((1, 28, 28), experiment.data.limits, Randomness.of(0)))
    assert [tuple(parameter.shape) for parameter in net.parameters() if parameter.dim() == 2] == [
        (256, 784),
        (256, 256),
        (784, 256),
    ]
    assert sum(parameter.numel() for parameter in net.parameters()) == 468_240
    assert experiment.optimisers.discriminator == Adamax(lr=5e-4, beta1=0.5, beta2=0.999)
    assert experiment.pretraining == 2 * experiment.objective.epoch


GENERATOR_DEVIATIONS = [0.0156, 0.0221, 0.0313, 0.0442, 0.0432]  # of the authors' code for CelebA, layer by layer
AUTOENCODER_FIRST, AUTOENCODER_LAST = 0.0432, 0.0432


def test_initial_weights_have_the_deviations_of_the_authors_code() -> None:
    recipe = find("faces64.magan").make()
    context = BuildContext(shape=(3, 64, 64), randomness=Randomness.of(0), limits=(-1.0, 1.0))
    weights = [p for p in recipe.nets.generator.build(context).parameters() if p.dim() > 1]
    assert [weight.std().item() for weight in weights] == pytest.approx(GENERATOR_DEVIATIONS, rel=0.03)
    autoencoder = [p for p in recipe.nets.discriminator.build(context).parameters() if p.dim() > 1]
    assert autoencoder[0].std().item() == pytest.approx(AUTOENCODER_FIRST, rel=0.03)
    assert autoencoder[-1].std().item() == pytest.approx(AUTOENCODER_LAST, rel=0.03)


def test_layers_without_a_relu_behind_them_begin_uniform() -> None:
    recipe = find("faces64.magan").make()
    context = BuildContext(shape=(3, 64, 64), randomness=Randomness.of(0), limits=(-1.0, 1.0))
    *hidden, last = (p for p in recipe.nets.generator.build(context).parameters() if p.dim() > 1)
    bound = 3**0.5 * GENERATOR_DEVIATIONS[-1]
    assert last.abs().max() <= 1.01 * bound
    assert all(weight.abs().max() > 3 * weight.std() for weight in hidden)


def test_samples_begin_near_the_middle_of_the_range() -> None:
    recipe = find("faces64.magan").make()
    context = BuildContext(shape=(3, 64, 64), randomness=Randomness.of(0), limits=(-1.0, 1.0))
    with torch.no_grad():
        samples = recipe.nets.generator.build(context)(Randomness.of(1).normal("z", 16, 350))
    assert samples.std().item() == pytest.approx(0.04, abs=0.02)
    assert samples.abs().max() < 0.9
