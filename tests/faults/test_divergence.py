"""What is not finite is caught before it moves anything, and is never published."""

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, final

import pytest
import torch
from torch import Tensor

from ebgan.errors import DivergedError
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.objectives import EBGAN, Objective
from ebgan.objectives.terms import hinge
from ebgan.records import Batch, Losses, Means, Reading, Sample
from ebgan.training import course
from ebgan.training.game import Game
from ebgan.training.loop import Training
from ebgan.training.state import state
from ebgan.training.step import Outcome, Progress, train_step

SHAPE = (1, 8, 8)
BAD = [float("nan"), float("inf"), -float("inf")]


class Balance(NamedTuple):
    """A margin that follows the energy of the data."""

    margin: Tensor  # [*models]


@final
@dataclass(frozen=True, kw_only=True)
class Balanced(Objective[Balance]):
    """An EBGAN whose margin moves."""

    def init(self, models: tuple[int, ...] = (), device: torch.device | str | None = None) -> Balance:
        return Balance(torch.full(models, 5.0, device=device))

    def discriminator(self, state: Balance, real: Reading, fake: Reading, batch: Batch) -> Losses:
        return Losses.of(real=real.energy.mean(-1), hinge=hinge(state.margin, fake.energy))

    def generator(self, state: Balance, fake: Reading, sample: Sample) -> Losses:
        return Losses.of(fake=fake.energy.mean(-1))

    def update(self, state: Balance, means: Means) -> Balance:
        return Balance(0.9 * state.margin + 0.1 * means.real)


def batches(*models: int) -> Iterator[Batch]:
    generator = torch.Generator().manual_seed(0)
    while True:
        yield Batch(torch.rand(*models, 12, *SHAPE, generator=generator) * 2 - 1)


def kept(game: Game) -> dict[str, Tensor]:
    """Copies of weights and of what optimisers remember; buffers follow what the nets have read, and are not here."""
    return {
        f"{name} {kind} {place}": value.clone()
        for name, player in (("generator", game.generator), ("discriminator", game.discriminator))
        for kind, values in (("weight", player.optimiser.weights), *player.optimiser.slots.items())
        for place, value in enumerate(values)
    }


def moved(first: dict[str, Tensor], second: dict[str, Tensor]) -> set[str]:
    """The players of which a bit is different."""
    return {name.split()[0] for name in first if not torch.equal(first[name].nan_to_num(7), second[name].nan_to_num(7))}


def spoil(tensor: Tensor, bad: float) -> None:
    tensor.view(-1)[0] = bad


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("objective", [EBGAN(margin=5.0, pulling_away=0.1), Balanced()])
@pytest.mark.parametrize("place", ["image", "gradient", "discriminator", "generator", "margin"])
def test_a_step_that_is_not_finite_moves_neither_player_nor_the_objective(
    ebgan_pt, objective, place: str, bad: float
) -> None:
    game, progress = build(replace(ebgan_pt, objective=objective), SHAPE)
    draw = batches().__next__
    for _ in range(3):
        progress, outcome = train_step(game, progress, draw)
        assert outcome.finite
    batch = draw()
    match place:
        case "image":
            spoil(batch.images, bad)
        case "gradient":
            game.discriminator.optimiser.parameters[0].register_hook(lambda gradient: gradient * bad)
        case "margin" if isinstance(objective, Balanced):
            progress = progress._replace(objective=Balance(torch.tensor(abs(bad))))
        case "margin":
            spoiled = EBGAN()
            object.__setattr__(spoiled, "margin", abs(bad))  # no config can hold such a margin
            game = replace(game, objective=spoiled)
        case player:
            spoil(getattr(game, player).optimiser.weights[0], bad)
    before, state = kept(game), progress.objective
    progress, outcome = train_step(game, progress, lambda: batch)
    assert not outcome.finite
    assert moved(before, kept(game)) == set()
    assert all(
        torch.equal(new.nan_to_num(7), old.nan_to_num(7)) for new, old in zip(progress.objective, state, strict=True)
    )


@pytest.mark.parametrize("bad", BAD)
def test_a_generator_whose_gradient_is_not_finite_stays_where_it_is(ebgan_pt, bad: float) -> None:
    game, progress = build(ebgan_pt, SHAPE)
    progress, _ = train_step(game, progress, batches().__next__)
    before = kept(game)
    game.generator.optimiser.parameters[-1].register_hook(lambda gradient: gradient * bad)
    _, outcome = train_step(game, progress, batches().__next__)
    assert not outcome.finite
    assert moved(before, kept(game)) == {"discriminator"}


@pytest.mark.parametrize("place", ["weights", "images"])
def test_a_model_of_a_stack_that_diverges_harms_none(ebgan_pt, place: str) -> None:
    experiment = stacked([replace(ebgan_pt, seed=seed) for seed in range(3)])

    def train(spoiled: bool) -> tuple[Game, list[bool]]:
        game, progress = build(experiment, SHAPE)
        for step, batch in zip(range(6), batches(3), strict=False):
            if spoiled and step == 2:
                spoil(batch.images[1] if place == "images" else game.generator.optimiser.weights[2][1], float("nan"))
            progress, outcome = train_step(game, progress, lambda: batch)  # noqa: B023
        return game, outcome.finite.tolist()

    (whole, sound), (harmed, finite) = train(False), train(True)
    assert sound == [True] * 3
    assert finite == [True, place == "images", True]
    for name, value in kept(whole).items():
        found = kept(harmed)[name]
        assert torch.equal(found[[0, 2]], value[[0, 2]]), name
        assert not torch.equal(found[1], value[1]), name


SPOILED = [
    "generator.output.weight",
    "generator.hidden.1.variance",
    "generator.mean.output.weight",
    "discriminator.trunk.4.scale",
    "discriminator.trunk.4.mean",
    "discriminator.square.decoder.bias",
    "average.hidden.0.weight",
]


def test_what_is_spoiled_in_a_run_ends_it_and_is_never_published(ebgan_pt, a_run, monkeypatch) -> None:
    whole = a_run(ebgan_pt)
    whole.train()
    go_on = Training.between_steps
    for name, bad in zip(SPOILED, itertools.cycle(BAD), strict=False):

        def spoiling(training: Training, before: int, seen: int) -> None:
            if seen == 60:
                spoil(state(training.course)[name], bad)  # noqa: B023
            go_on(training, before, seen)

        run = a_run(ebgan_pt)
        monkeypatch.setattr(Training, "between_steps", spoiling)
        with pytest.raises(DivergedError):
            run.train()
        monkeypatch.setattr(Training, "between_steps", go_on)
        assert run.newest().images == 48, name
        run.train()
        assert run.digest() == whole.digest(), name


@pytest.mark.parametrize("asked_to_stop", [False, True])
def test_an_image_that_is_not_finite_ends_the_run_with_all_that_is_known_of_the_step(
    ebgan_pt, a_run, monkeypatch, asked_to_stop: bool
) -> None:
    take, run = course.train_step, a_run(ebgan_pt)

    def spoiled(
        game: Game, progress: Progress, draw: Callable[[], Batch], *rest: Any, **named: Any
    ) -> tuple[Progress, Outcome]:
        batch = draw()
        if progress.seen == 72:
            spoil(batch.images, float("nan"))
            if asked_to_stop:
                os.kill(os.getpid(), signal.SIGTERM)
        return take(game, progress, lambda: batch, *rest, **named)

    monkeypatch.setattr(course, "train_step", spoiled)
    with pytest.raises(DivergedError) as error:
        run.train()
    assert "in the step before 84 images seen" in str(error.value)
    assert "energy_real, discriminator/real not finite" in str(error.value)
    for known in ("discriminator/hinge ", "generator/pulling_away ", "energy_fake ", "margin "):
        assert known in str(error.value)
    assert run.newest().images == 72
