"""One training step: the discriminator's turn, the generator's turn, the objective's update.

    draw() --Batch--+--------------------------------> discriminator --Reading real--+
                    |                                                                +--> D moves
                    +--> sampler(generator) --Sample--detached--> discriminator --Reading fake--+
    sampler(generator) --Sample--> updated discriminator --Reading fake--> G moves
    mean energies --> objective.update --> next state

Nothing here waits for the device, and nothing here depends on which objective, energy or nets are used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ebgan.distributed import rank
from ebgan.records import Batch, Losses, Means, Reading, Sample
from ebgan.samplers import no_source
from ebgan.training.game import Game
from ebgan.training.plateau import PlateauState


class Progress(NamedTuple):
    """Everything that a step changes except the players' weights."""

    seen: Tensor  # [] int64, the clock: real images that the discriminator has read
    objective: Any  # the objective's state
    memory: Any  # the sampler's record of earlier samples
    plateau: PlateauState | None = None  # the state of `game.plateau`, if there is one


class Outcome(NamedTuple):
    """Metrics of one step, not yet copied to the host."""

    finite: Tensor  # [*models] whether losses and gradients were finite; if not, the model was not updated
    values: dict[str, Tensor]  # name -> [*models], or [] if all models share one value


def train_step(
    game: Game,
    progress: Progress,
    draw: Callable[[], Batch],
    turns: tuple[int, int] = (1, 1),
    source: Callable[[int], Batch] = no_source,
    *,
    seen: int | None = None,
    watched: bool = True,
    pretraining: bool = False,
) -> tuple[Progress, Outcome]:
    """Update both players and the objective's state.

    `draw` returns this rank's share of the next batch. `source(n)`, for samplers that start from images, returns this
    rank's share of the images that the samples of the step's n-th turn start from. `seen` is the value of
    progress.seen, if the caller knows it on the host: then noise is drawn for many steps at once (the same numbers),
    and a net that observes the data is shown only one batch in eight. With `watched` False the outcome lacks the
    metrics of `Objective.metrics`, which only reports read. While the generator has no turn, the discriminator reads
    only data, unless negatives are made without the generator (`Sampler.independent`) and it is not `pretraining`.
    """
    step = _Step(game, progress, source, seen)
    discriminator_turns, generator_turns = turns
    alone = pretraining or (generator_turns == 0 and not game.sampler.independent)
    game.set_clock(progress.seen)
    for turn in range(discriminator_turns):
        kept = not game.turns.fresh and turn == discriminator_turns - 1
        step.move_discriminator(draw(), turn, kept=kept, alone=alone)
    for turn in range(generator_turns):
        step.move_generator(turn, discriminator_turns + turn - (not game.turns.fresh))
    with torch.no_grad():
        return step.skip_generator() if alone else step.move_objective(watched)


@dataclass
class _Step:
    """A step in progress: what earlier turns pass on to later ones."""

    game: Game
    before: Progress
    source: Callable[[int], Batch]
    known: int | None  # the images seen, if the host knows them
    values: dict[str, Tensor] = field(default_factory=dict)
    finite: Tensor | None = None  # [*models] whether all losses and gradients so far were finite
    sample: Sample | None = None  # of the last discriminator turn, if the generator's first turn uses it again
    fake: Reading | None = None  # of the last generator turn, or of negatives where the generator has none
    data: Tensor | None = None  # images of the last discriminator turn
    labels: Tensor | None = None  # of these images

    def __post_init__(self) -> None:
        self.seen, self.memory = self.before.seen, self.before.memory
        self.first: Tensor | int = self.seen if self.known is None else self.known  # index of the next image to be read
        self.factor = self.before.plateau.factor if self.before.plateau else None
        self.values |= self.game.learning_rates(self.seen, self.factor)

    def move_discriminator(self, batch: Batch, turn: int, *, kept: bool, alone: bool) -> None:
        """The discriminator's turn: lower the energy of the data and, unless `alone`, raise that of samples.

        With `kept`, the samples and their graph are kept for the generator's turn.
        """
        game, state, first = self.game, self.before.objective, self.first
        self.count = batch.images.shape[-4]
        self.data, self.labels = batch.images, batch.labels
        game.observe(batch, first)
        images = game.shown(state, batch.images, first, 0)
        if alone:
            real = game.read(images, batch.labels)
            losses = game.objective.data_loss(state, real, batch)
        else:
            with torch.set_grad_enabled(kept):
                sample = game.sample(first, 0, self.count, partial(self.source, turn))
            self.sample = sample if kept else None
            with torch.no_grad():
                shown, self.memory = game.replay(self.memory, sample, first, partial(self.source, turn))
            fakes = (shown.images if shown.negatives is None else shown.negatives).detach()
            fakes = game.shown(state, fakes, first, 0)
            real, fake = game.read_both(images, fakes, batch.labels, shown.labels)
            losses = game.objective.discriminator(state, real, fake, batch)
            if game.asks.misnames:
                assert batch.labels is not None
                wrong = game.misnamed(images, batch.labels, first)
                losses = losses.plus(game.objective.misnamed(state, real, wrong, batch))
            for penalty in game.penalties(state, images, fakes, first):
                losses = losses.plus(penalty)
            self.values["energy_fake_before"] = self.values["energy_fake"] = fake.energy.detach().mean(-1)
            self.fake = fake  # where the generator has a turn, its own reading takes this one's place
        if game.asks.classifies:
            losses = losses.plus(game.objective.classification(state, *game.classify(batch)))
        self.finite = game.discriminator.optimiser.descend(losses.total, self.seen, self.factor, self.finite)
        self._note("discriminator", losses, energy_real=real)
        whole = self.count * rank().count
        self.seen, self.first = self.seen + whole, self.first + whole

    def move_generator(self, turn: int, start: int) -> None:
        """The generator's turn: lower the energy of samples under the updated discriminator.

        `start` is the turn passed to `source`, if samples start from images.
        """
        game, state, sample = self.game, self.before.objective, self.sample
        if sample is None:
            sample = game.sample(self.first, turn + 1, self.count, partial(self.source, start))
        self.sample = None
        images = game.shown(state, sample.images, self.first, turn + 1)
        whole = game.whole(sample)
        if game.asks.compares:
            assert self.data is not None
            real = game.shown(state, self.data, self.first, turn + 1)
            data, self.fake = game.read_both(real, images, self.labels, sample.labels)
            whole = whole._replace(data=data)
        else:
            self.fake = game.read(images, sample.labels)
        losses = game.objective.generator(state, self.fake, whole)
        self.finite = game.generator.optimiser.descend(losses.total, self.seen, self.factor, self.finite)
        self._note("generator", losses, energy_fake=self.fake)

    def move_objective(self, watched: bool) -> tuple[Progress, Outcome]:
        """Update the objective's state from this step's mean energies, and the plateau from the convergence."""
        game, (before, state, _, plateau) = self.game, self.before
        assert self.fake is not None
        assert self.finite is not None
        means = Means(self.values["energy_real"], self.values["energy_fake"], self.seen)
        if watched or plateau:
            self.values |= game.objective.metrics(state, self.fake, means)
        moved = game.objective.update(state, means)
        if game.plateau and plateau:
            followed = game.plateau.follow(plateau, self.values["convergence"], self.seen - before)
            plateau = _where(self.finite, followed, plateau)
        return self._ended(moved, plateau)

    def skip_generator(self) -> tuple[Progress, Outcome]:
        """End a step in which the generator has no turn."""
        return self._ended(self.game.objective.skip_generator(self.before.objective, self.seen), self.before.plateau)

    def _ended(self, moved: Any, plateau: PlateauState | None) -> tuple[Progress, Outcome]:
        assert self.finite is not None
        state = _where(self.finite, moved, self.before.objective)
        return Progress(self.seen, state, self.memory, plateau), Outcome(self.finite, self.values)

    def _note(self, player: str, losses: Losses, **readings: Reading) -> None:
        """Keep a turn's losses and mean energies for the outcome."""
        self.values[f"loss_{player}"] = losses.total.detach()
        self.values |= {name: reading.energy.detach().mean(-1) for name, reading in readings.items()}
        self.values |= {f"{player}/{name}": term.detach() for name, term in losses.terms.items()}


def _where(finite: Tensor, moved: Any, before: Any) -> Any:
    """The new state for models that are finite, the old one for the others."""
    if isinstance(moved, Tensor):
        return torch.where(finite, moved, before) if moved.dim() == finite.dim() else moved
    return type(moved)(*(_where(finite, new, old) for new, old in zip(moved, before, strict=True)))
