"""One training step: the discriminator's turn, the generator's turn, the objective's move.

    draw() --Batch--+--------------------------------> discriminator --Reading real--+
                    |                                                                +--> D moves
                    +--> sampler(generator) --Sample--detached--> discriminator --Reading fake--+
    sampler(generator) --Sample--> discriminator, now moved --Reading fake--> G moves
    mean energies --> objective.update --> next state

Nothing here waits for the device, and nothing here knows which objective, energy or nets are at play.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ebgan.distributed import rank
from ebgan.records import Batch, Losses, Means
from ebgan.samplers import no_source
from ebgan.training.game import Game
from ebgan.training.plateau import PlateauState


class Progress(NamedTuple):
    """What moves besides the players."""

    images: Tensor  # [] int64, real images that the discriminator has read
    objective: Any  # the objective's state
    memory: Any  # what the sampler keeps of earlier samples
    plateau: PlateauState | None = None  # the plateau's, if the game has one


class Outcome(NamedTuple):
    """What a step has to say, still on the device."""

    finite: Tensor  # [*models] whether each model's losses and gradients were finite; one that was not did not move
    values: dict[str, Tensor]  # [*models] by name, or [] where all models share one


def train_step(
    game: Game,
    progress: Progress,
    draw: Callable[[], Batch],
    turns: tuple[int, int] = (1, 1),
    source: Callable[[int], Batch] = no_source,
    *,
    seen: int | None = None,
) -> tuple[Progress, Outcome]:
    """Move both players and the objective's state; `draw` serves this rank's share of each batch.

    `source` serves its share of the images that the samples of the step's n-th turn start from, if they start from any.
    `seen` is progress.images where the caller knows it without asking the device: noise of many steps is then drawn at
    once, the same, and a net that observes the data is shown one batch in some.
    """
    objective, (images, state, memory, plateau) = game.objective, progress
    factor = plateau.factor if plateau else None
    values = game.learning_rates(images, factor)
    sound = torch.ones((), dtype=torch.bool, device=images.device)
    place = first = images if seen is None else seen
    discriminator_turns, generator_turns = turns
    game.tell(images)

    # The discriminator's turn: energy down on the data, up on the samples.
    for turn in range(discriminator_turns):
        batch = draw()
        count, first = batch.images.shape[-4], place
        game.observe(batch, first)
        if generator_turns:
            with torch.no_grad():
                sample, memory = game.recall(memory, game.sample(first, 0, count, partial(source, turn)), first)
            fakes = sample.images if sample.negatives is None else sample.negatives
            real, fake = game.read_both(batch.images, fakes)
            losses = objective.discriminator(state, real, fake, batch)
            if objective.asks.slopes:
                losses = losses.beside(objective.penalty(state, game.slopes(batch.images, fakes, first)))
            values["energy_fake_before"] = fake.energy.mean(-1)
        else:
            real = game.read(batch.images)
            losses = objective.alone(state, real, batch)
        if objective.asks.classifies:
            losses = losses.beside(objective.classification(state, *game.classify(batch)))
        sound = game.discriminator.optimiser.descend(_unless_unsound(losses, sound), images, factor)
        values |= {"loss_discriminator": losses.total, "energy_real": real.energy.mean(-1)}
        values |= {f"discriminator/{name}": term for name, term in losses.terms.items()}
        images, place = images + count * rank().count, place + count * rank().count

    # The generator's turn: fresh samples to where the discriminator, now moved, finds low energy.
    for turn in range(generator_turns):
        fresh = game.turns.fresh or turn > 0
        start = partial(source, discriminator_turns + turn - (not game.turns.fresh))
        sample = game.sample(place if fresh else first, turn + 1 if fresh else 0, count, start)
        fake = game.judge(sample.images)
        losses = objective.generator(state, fake, game.whole(sample))
        sound = game.generator.optimiser.descend(_unless_unsound(losses, sound), images, factor)
        values |= {"loss_generator": losses.total, "energy_fake": fake.energy.mean(-1)}
        values |= {f"generator/{name}": term for name, term in losses.terms.items()}

    # The objective's move: margin and balance follow the energies of this step, and the learning rates a stall.
    with torch.no_grad():
        if generator_turns:
            means = Means(values["energy_real"], values["energy_fake"], images)
            values |= objective.watch(state, fake, means)
            moved = objective.update(state, means)
            if game.plateau and plateau:
                followed = game.plateau.follow(plateau, values["convergence"], images - progress.images)
                plateau = _where(sound, followed, plateau)
        else:
            moved = objective.idle(state, images)
        state = _where(sound, moved, state)
    values = {name: value.detach() for name, value in values.items()}
    return Progress(images, state, memory, plateau), Outcome(sound, values)


def _unless_unsound(losses: Losses, sound: Tensor) -> Tensor:
    """The loss, or NaN for a model that had one in an earlier turn: no later turn of the step moves it."""
    return losses.total.where(sound, torch.nan)


def _where(finite: Tensor, moved: Any, before: Any) -> Any:
    """The moved state for the models that are finite, the one before for the others."""
    if isinstance(moved, Tensor):
        return torch.where(finite, moved, before) if moved.dim() == finite.dim() else moved
    return type(moved)(*(_where(finite, new, old) for new, old in zip(moved, before, strict=True)))
