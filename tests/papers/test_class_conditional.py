"""EBGAN of images and classes: the hinge on wrong classes, and what is left of it without them."""

from dataclasses import replace
from itertools import count

import pytest
import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.experiment import Experiment, Nets
from ebgan.experiment.building import build
from ebgan.nets.by_class import ClassAutoencoder, ClassGenerator
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import BEGAN, EBGAN, ClassConditional, Regularised, Scheduled, SemiSupervised
from ebgan.objectives.began import BEGANState
from ebgan.randomness import Randomness
from ebgan.records import Batch, Reading
from ebgan.samplers import DrawKey, Replay
from ebgan.schedules import Linear
from ebgan.training.classes import others
from ebgan.training.step import Outcome, train_step

CLASSES = 3
GENERATOR = MLPGenerator(depth=3, width=8, noise=4, std=0.5)
AUTOENCODER = MLPAutoencoder(depth=2, width=8, batch_norm=False, std=0.3)
PLAIN = Experiment(
    nets=Nets(generator=GENERATOR, discriminator=AUTOENCODER), objective=EBGAN(margin=3.0), batch=6, precision="fp64"
)
BY_CLASS = replace(
    PLAIN,
    nets=Nets(generator=ClassGenerator(net=GENERATOR), discriminator=ClassAutoencoder(net=AUTOENCODER, std=0.5)),
    objective=ClassConditional(inner=PLAIN.objective),
)
ENERGIES = Reading(torch.zeros(3, 1, 2, 2), torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64))
WRONG = Reading(torch.zeros(3, 1, 2, 2), torch.tensor([0.5, 2.5, 9.0], dtype=torch.float64))


def data(turn: int = 0) -> Batch:
    images = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(turn), dtype=torch.float64) * 2 - 1
    return Batch(images, torch.tensor([0, 1, 2, 2, 1, 0]))


def first_step(experiment: Experiment, *, shifted: bool = True) -> Outcome:
    game, progress = build(experiment, (1, 4, 4), classes=CLASSES)
    if not shifted:
        for player in (game.generator, game.discriminator):
            dict(player.net.named_parameters())["shifts.rows.weight"].data.zero_()
    return train_step(game, progress, data)[1]


def test_a_wrong_class_is_pushed_to_the_margin_as_a_sample_is() -> None:
    objective = ClassConditional(inner=EBGAN(margin=3.0), weight=0.5)
    losses = objective.misnamed(objective.init(), ENERGIES, WRONG, data())
    assert losses.total.item() == pytest.approx(0.5 * (2.5 + 0.5 + 0) / 3, rel=1e-12)
    assert set(losses.terms) == {"wrong_class"}


def test_a_margin_that_falls_falls_for_wrong_classes_too() -> None:
    falling = Scheduled(EBGAN(margin=3.0), margin=Linear(start=3.0, end=3.0, finish=10))
    objective = ClassConditional(inner=falling)
    fixed = ClassConditional(inner=EBGAN(margin=3.0))
    one, other = (each.misnamed(each.init(), ENERGIES, WRONG, data()).total for each in (objective, fixed))
    torch.testing.assert_close(one, other)


def test_a_balance_weighs_wrong_classes_as_it_weighs_samples() -> None:
    objective = ClassConditional(inner=BEGAN())
    state = BEGANState(k=torch.tensor(0.25, dtype=torch.float64))
    losses = objective.misnamed(state, ENERGIES, WRONG, data())
    assert losses.total.item() == pytest.approx(-0.25 * 4.0, rel=1e-12)


def test_without_shifts_and_wrong_classes_it_is_the_inner_objective() -> None:
    plain = first_step(PLAIN).values
    found = first_step(replace(BY_CLASS, objective=ClassConditional(inner=PLAIN.objective, weight=0.0)), shifted=False)
    for name in ("energy_real", "energy_fake_before", "loss_discriminator", "discriminator/hinge"):  # then shifts move
        torch.testing.assert_close(found.values[name], plain[name], rtol=1e-12, atol=0)
    assert found.values["discriminator/wrong_class"] == 0


def test_without_a_class_s_shift_wrong_classes_are_data() -> None:
    high = replace(BY_CLASS, objective=ClassConditional(inner=EBGAN(margin=30.0)))  # above every energy here
    values = first_step(high, shifted=False).values
    torch.testing.assert_close(values["discriminator/wrong_class"], 30 - values["energy_real"])
    values = first_step(high).values
    assert abs(values["discriminator/wrong_class"] - 30 + values["energy_real"]) > 0.01


@pytest.mark.parametrize("joined", [True, False])
def test_samples_and_data_are_read_with_their_own_classes(joined: bool) -> None:
    game, progress = build(BY_CLASS, (1, 4, 4), classes=CLASSES)
    game.__dict__["joined"] = joined
    batch = data()
    assert batch.labels is not None
    sample = game.sample(progress.seen, 1, 6, data)
    assert sample.labels is not None
    assert sample.labels.tolist() == [0, 1, 2, 0, 1, 2]
    real, fake = game.read_both(batch.images, sample.images, batch.labels, sample.labels)
    net = game.discriminator.net
    for reading, images, labels in ((real, batch.images, batch.labels), (fake, sample.images, sample.labels)):
        pairs = zip(images, labels, strict=True)
        expected = [game.energy.read(net.of(label), image[None]).energy for image, label in pairs]  # type: ignore[operator]
        torch.testing.assert_close(reading.energy, torch.cat(expected))


def test_wrong_classes_are_never_the_own_one_and_evenly_the_others() -> None:
    net = build(BY_CLASS, (1, 4, 4), classes=CLASSES)[0].discriminator.net
    labels = torch.arange(3000) % CLASSES
    wrong = others(labels, net, DrawKey(Randomness.of(0), 0, 0, 3000))  # type: ignore[arg-type]
    steps = (wrong - labels) % CLASSES
    assert set(steps.tolist()) == {1, 2}
    assert float((steps == 1).double().mean()) == pytest.approx(0.5, abs=0.03)


def test_a_batch_in_parts_takes_the_same_step() -> None:
    bare = replace(GENERATOR, batch_norm=False)
    whole = replace(BY_CLASS, nets=replace(BY_CLASS.nets, generator=ClassGenerator(net=bare)))
    one, other = first_step(whole).values, first_step(replace(whole, accumulate=3)).values
    for name, value in one.items():
        torch.testing.assert_close(other[name], value)


def test_each_model_of_a_stack_trains_as_it_does_alone() -> None:
    from ebgan.experiment.stacking import stacked

    weights = (0.5, 1.0, 2.0)
    models = [
        replace(BY_CLASS, objective=ClassConditional(inner=EBGAN(margin=3.0), weight=weight), seed=seed)
        for seed, weight in enumerate(weights)
    ]

    def stack_of(turn: int) -> Batch:
        images, labels, _ = data(turn)
        assert labels is not None
        return Batch(images.expand(3, *images.shape), labels.expand(3, -1))

    together = trained(stacked(models), stack_of)
    for model, each in enumerate(models):
        for name, value in trained(each, data).items():
            torch.testing.assert_close(together[name][model], value)


def trained(experiment: Experiment, draw: object) -> dict[str, Tensor]:
    """The metrics after three steps."""
    game, progress = build(experiment, (1, 4, 4), classes=CLASSES)
    turns = count()
    for _ in range(3):
        progress, outcome = train_step(game, progress, lambda: draw(next(turns)))  # type: ignore[operator]
    return outcome.values


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nets": replace(BY_CLASS.nets, generator=GENERATOR)}, "nets.generator: has no classes, .* ClassGenerator"),
        ({"nets": replace(BY_CLASS.nets, discriminator=AUTOENCODER)}, "nets.discriminator: .* in ClassAutoencoder"),
        ({"nets": PLAIN.nets}, "objective: ClassConditional needs nets by class"),
        ({"sampler": Replay()}, "sampler: Replay keeps no classes .*: take Prior"),
        ({"objective": Regularised(inner=BY_CLASS.objective, data=1.0)}, "objective: Regularised takes slopes"),
    ],
)
def test_parts_that_know_no_classes_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build(replace(BY_CLASS, **changes), (1, 4, 4), classes=CLASSES)  # type: ignore[arg-type]


def test_objectives_with_classes_of_their_own_are_refused_inside() -> None:
    for inner in (BY_CLASS.objective, SemiSupervised(inner=EBGAN())):
        with pytest.raises(UsageError, match=r"objective.inner: learns classes already"):
            ClassConditional(inner=inner)
