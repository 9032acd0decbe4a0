"""The learning rates fall where the measure of convergence stalls: by which rule, for whom, and in which runs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from ebgan.energies import AutoencoderEnergy
from ebgan.errors import UsageError
from ebgan.experiment import Evaluation, Experiment, Nets, Optimisers
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import BEGAN, EBGAN, MAGAN, Scheduled
from ebgan.records import Batch
from ebgan.runs import trainer
from ebgan.schedules import Constant, Linear
from ebgan.storage.runfolder import RunFolder, read_records
from ebgan.training.optim import SGD, Adam
from ebgan.training.plateau import Plateau, PlateauState
from ebgan.training.step import Progress, train_step

SHAPE = (1, 4, 4)
SMALL = Experiment(
    nets=Nets(
        generator=MLPGenerator(depth=2, width=8, noise=3, std=0.3),
        discriminator=MLPAutoencoder(depth=2, width=8, std=0.3),
    ),
    energy=AutoencoderEnergy(unit="l1"),
    objective=BEGAN(gamma=0.5, lambda_k=0.1),
    optimisers=Optimisers(
        discriminator=SGD(lr=2.0**-2),
        generator=SGD(lr=2.0**-3),
        plateau=Plateau(patience=12, threshold=0.99),  # windows of two steps, each of which stalls after the first
    ),
    images=60,
    batch=6,
    evaluation=Evaluation(grid=4),
    precision="fp64",
)


def followed(plateau: Plateau, measures: list[float], images: int = 10) -> list[float]:
    """The factor after each of the steps with these measures."""
    state, factors = plateau.init(), []
    for measure in measures:
        state = plateau.follow(state, torch.tensor(measure), torch.tensor(images))
        factors.append(state.factor.item())
    return factors


def images(*lead: int, seed: int) -> Tensor:
    return torch.rand(*lead, *SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


def trained(experiment: Experiment, steps: int = 8, model: int | None = None) -> tuple[list[Tensor], Progress]:
    """The discriminator's and generator's weights and the progress after some steps on a stack's images, or a part."""
    game, progress = build(experiment, SHAPE)
    for step in range(steps):
        batch = images(3, 6, seed=step)
        progress, outcome = train_step(game, progress, lambda: Batch(batch if model is None else batch[model]))  # noqa: B023
        assert outcome.finite.all()
    return [*game.discriminator.optimiser.weights, *game.generator.optimiser.weights], progress


def test_the_factor_is_halved_after_each_window_whose_mean_is_not_below_the_best_by_the_threshold() -> None:
    windows = [8.0, 4.0, 3.99, 4.5, 3.0, 2.98, 2.9, 2.9]
    assert followed(Plateau(patience=10, threshold=0.01), windows) == [1, 1, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625]


def test_a_window_that_fell_by_less_than_the_threshold_is_the_best_all_the_same() -> None:
    creeping = [4.0, 3.98, 3.96, 3.94]
    assert followed(Plateau(patience=10, threshold=0.01), creeping) == [1, 0.5, 0.25, 0.125]


def test_a_window_is_judged_by_its_mean_and_at_its_end_alone() -> None:
    noisy = [1.0, 9.0, 5.0, 8.0, 1.0, 3.0]  # of windows of three steps: 5, then 4
    assert followed(Plateau(patience=30), noisy) == [1] * 6
    assert followed(Plateau(patience=30), noisy[3:] + noisy[:3]) == [1, 1, 1, 1, 1, 0.5]
    assert followed(Plateau(patience=21), noisy[3:] + noisy[:3]) == [1, 1, 1, 1, 1, 0.5]  # whole steps


def test_the_mean_of_a_window_is_weighted_by_the_images_of_its_steps() -> None:
    plateau = Plateau(patience=30)
    state = plateau.follow(plateau.init(), torch.tensor(6.0), torch.tensor(20))
    state = plateau.follow(state, torch.tensor(3.0), torch.tensor(10))
    assert (state.best, state.seen) == (5, 0)


def test_the_factor_never_falls_below_the_floor() -> None:
    assert followed(Plateau(patience=10, reduction=0.25, floor=0.125), [1.0] * 4) == [1, 0.25, 0.125, 0.125]


def test_each_model_of_a_stack_stalls_on_its_own() -> None:
    plateau = Plateau(patience=10)
    state = plateau.init((2,))
    for both in ([2.0, 2.0], [1.0, 2.0], [1.0, 1.0]):
        state = plateau.follow(state, torch.tensor(both), torch.tensor(10))
    assert state.factor.tolist() == [0.5, 0.5]
    assert state.best.tolist() == [1.0, 1.0]
    assert all(tensor.shape == (2,) for tensor in state)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"patience": 0}, "plateau.patience=0: expected at least 1"),
        ({"patience": 1, "reduction": 1.0}, "plateau.reduction=1.0: expected a number from 0 to below 1"),
        ({"patience": 1, "threshold": -0.1}, "plateau.threshold=-0.1: expected a number from 0 to below 1"),
        ({"patience": 1, "floor": float("nan")}, "plateau.floor=nan: expected a number from 0 to below 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(settings: dict[str, float], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Plateau(**settings)


def test_an_objective_without_a_measure_of_convergence_is_refused_with_the_mend() -> None:
    for objective in (EBGAN(), Scheduled(EBGAN(), margin=Constant(value=1.0))):
        with pytest.raises(UsageError, match=r"optimisers\.plateau: .* has no measure of convergence .*: take BEGAN"):
            replace(SMALL, objective=objective)
    falling = Scheduled(BEGAN(), gamma=Linear(start=0.7, end=0.3, finish=100))
    assert replace(SMALL, objective=falling).optimisers.plateau


@pytest.mark.parametrize("objective", [BEGAN(gamma=0.5, lambda_k=0.1), MAGAN(epoch=12)])
def test_a_stall_lowers_the_steps_of_both_players_and_the_records_say_so(objective: BEGAN | MAGAN) -> None:
    plain = Optimisers(discriminator=SGD(lr=0.5), generator=SGD(lr=0.25))
    stalling = replace(plain, plateau=Plateau(patience=6, threshold=0.99, reduction=0.25))
    steps = []
    for optimisers in (plain, stalling):
        experiment = replace(SMALL, objective=objective, optimisers=optimisers, pretraining=6)
        game, progress = build(experiment, SHAPE)
        if optimisers.plateau:
            state = PlateauState(torch.tensor(0.25), *progress.plateau[1:])
            progress = progress._replace(plateau=state)
        before = [weight.clone() for weight in game.discriminator.optimiser.weights]
        _, outcome = train_step(game, progress, lambda: Batch(images(6, seed=0)))
        steps.append([new - old for new, old in zip(game.discriminator.optimiser.weights, before, strict=True)])
    rates = {name: value.item() for name, value in outcome.values.items() if name.startswith("learning_rate")}
    assert rates == {"learning_rate/discriminator": 0.125, "learning_rate/generator": 0.0625}
    for whole, quarter in zip(*steps, strict=True):
        torch.testing.assert_close(quarter, 0.25 * whole, rtol=1e-9, atol=1e-15)


def test_a_rate_that_nothing_moves_is_not_recorded() -> None:
    falling = Optimisers(discriminator=Adam(lr=0.5, decay=Linear(start=1, end=0, finish=60)), generator=Adam(lr=0.5))
    for optimisers, names in (
        (replace(SMALL.optimisers, plateau=None), []),
        (falling, ["learning_rate/discriminator"]),
    ):
        game, progress = build(replace(SMALL, optimisers=optimisers), SHAPE)
        _, outcome = train_step(game, progress, lambda: Batch(images(6, seed=0)))
        assert [name for name in outcome.values if name.startswith("learning_rate")] == names


def test_the_moves_of_a_stalled_run_are_those_of_the_lower_rates() -> None:
    weights, progress = trained(SMALL, 5, model=0)
    assert progress.plateau.factor == 0.5  # after the second window, before the fifth step
    halved = replace(SMALL.optimisers, plateau=None)
    decay = Linear(start=1.0, end=0.5, begin=23, finish=24)
    halved = Optimisers(
        discriminator=replace(halved.discriminator, decay=decay), generator=replace(halved.generator, decay=decay)
    )
    # The generator's turn has seen the step's images by then: its clock is a step ahead.
    later = replace(halved.generator, decay=replace(decay, begin=29, finish=30))
    expected, _ = trained(replace(SMALL, optimisers=replace(halved, generator=later)), 5, model=0)
    for one, other in zip(weights, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=0)


def test_each_model_of_a_stack_with_a_plateau_of_its_own_fares_as_it_does_alone() -> None:
    members = [
        replace(
            SMALL,
            optimisers=replace(SMALL.optimisers, plateau=Plateau(patience=12, threshold=threshold, reduction=0.25)),
            seed=seed,
        )
        for seed, threshold in enumerate((0.0, 0.03125, 0.984375))
    ]
    together, progress = trained(stacked(members))
    for model, member in enumerate(members):
        alone, own = trained(member, model=model)
        for whole, part in zip(together, alone, strict=True):
            torch.testing.assert_close(whole[model], part, rtol=1e-9, atol=1e-11)
        for whole, part in zip(progress.plateau, own.plateau, strict=True):
            torch.testing.assert_close(whole[model], part, rtol=1e-6, atol=0)
    assert len(set(progress.plateau.factor.tolist())) > 1


def test_a_model_that_is_not_finite_keeps_its_state() -> None:
    game, progress = build(stacked([replace(SMALL, seed=seed) for seed in (0, 1)]), SHAPE)
    bad = images(2, 6, seed=0)
    bad[1] = float("nan")
    after, _ = train_step(game, progress, lambda: Batch(bad))
    assert after.plateau.seen.tolist() == [6, 0]
    assert after.plateau.mean[1] == progress.plateau.mean[1]


def test_steps_without_samples_count_for_no_window() -> None:
    game, progress = build(SMALL, SHAPE)
    after, outcome = train_step(game, progress, lambda: Batch(images(6, seed=0)), (1, 0))
    assert after.plateau == progress.plateau
    assert "learning_rate/generator" in outcome.values


def test_images_of_all_turns_of_the_discriminator_count() -> None:
    game, progress = build(replace(SMALL, optimisers=replace(SMALL.optimisers, plateau=Plateau(patience=100))), SHAPE)
    after, _ = train_step(game, progress, lambda: Batch(images(6, seed=0)), (3, 1))
    assert after.plateau.seen == 18


def test_nothing_is_asked_of_the_device() -> None:
    optimisers = Optimisers(discriminator=SGD(lr=0.5), generator=SGD(lr=0.5), plateau=Plateau(patience=6))
    game, progress = build(replace(SMALL, optimisers=optimisers, precision="fp32"), SHAPE, "meta")
    after, _ = train_step(game, progress, lambda: Batch(torch.empty(6, *SHAPE, device="meta")))
    assert {tensor.device.type for tensor in after.plateau} == {"meta"}


def test_the_stats_of_a_run_show_the_rates_falling(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "write_report", lambda folder: None)
    pixels = np.random.default_rng(0).integers(0, 256, (50, 4, 4), dtype=np.uint8)
    trainer.train(SMALL, tmp_path, data=pixels, device="cpu")
    rates = [record["learning_rate/generator"] * 2**3 for record in read_records(RunFolder(tmp_path).stats)]
    assert rates == [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]
