"""Train an energy on rows in memory, several models with different seeds at once.

    pretraining  the discriminator without the generator, for a third of the steps
    margin       for each model, between its energy after pretraining and the energy of the mean row
    training     discriminator and generator, if the objective has a generator

`runs.calibration` sets the margin in the same way, but in a training run of its own; here training continues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ebgan.data.loader import picked, stretch
from ebgan.energies import AutoencoderEnergy, Energy, reconstruction_error
from ebgan.errors import DivergedError
from ebgan.experiment import Experiment
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets.base import BuildContext
from ebgan.objectives import EBGAN, MAGAN
from ebgan.randomness import Randomness
from ebgan.records import Batch
from ebgan.training.game import Game
from ebgan.training.step import Outcome, Progress, train_step

Told = Callable[[int, float], None]  # progress callback: steps done, mean energy of the data
TELLS = 10  # number of its calls
ROWS = 4096  # rows per pass of the net when no gradient is needed
SURVEYED = 10_000  # most rows used to set a margin


@dataclass(frozen=True)
class Trained:
    """A trained energy, or a stack of them with several seeds, as values that can be pickled."""

    experiment: Experiment  # of one model, or of a stack
    shape: tuple[int, int, int]
    weights: dict[str, Tensor]  # of the discriminator, on the CPU

    def net(self) -> nn.Module:
        """The discriminator in evaluation mode and float64, so the energy of a row does not depend on its batch."""
        randomness = Randomness.of(self.experiment.seed)
        net = self.experiment.nets.discriminator.build(
            BuildContext(self.shape, self.experiment.data.limits, randomness)
        )
        net.load_state_dict(self.weights)
        return net.eval().double()

    @property
    def models(self) -> tuple[int, ...]:
        """(k,) for a stack of k models, () for a single one."""
        return tuple(torch.as_tensor(self.experiment.seed).shape)


@torch.no_grad()
def energies(net: nn.Module, energy: Energy, rows: Tensor, models: Sequence[int] = ()) -> Tensor:
    """The energies [*models, n] of rows [n, C, H, W], computed in the net's precision."""
    dtype = next(net.parameters()).dtype
    parts = (part.to(dtype).expand(*models, *part.shape) for part in torch.split(rows, ROWS))
    return torch.cat([energy.read(net, part).energy for part in parts], -1)


def train(
    experiments: Sequence[Experiment],
    rows: Tensor,
    *,
    share: float = 0.5,
    device: torch.device | str = "cpu",
    told: Told | None = None,
) -> Trained:
    """Train experiments that differ only in their seed on rows [n, C, H, W]; several are trained as a stack.

    A margin of None becomes, for each model, the energy after pretraining plus `share` of the difference to the energy
    of the mean row. Raises DivergedError if no model's losses stayed finite, UsageError for parts that do not fit.
    """
    given = experiments[0] if len(experiments) == 1 else stacked(experiments)
    filled = replace(given, objective=_filled(given.objective, len(rows)))
    rows, shape = rows.to(device), (rows.shape[1], rows.shape[2], rows.shape[3])
    game, progress = build(filled, shape, device)
    serve, images = _Rows(rows, filled.batch, game.randomness), 0
    finite = torch.ones((), dtype=torch.bool, device=rows.device)
    assert filled.pretraining is not None
    while images < filled.images:
        if images == filled.pretraining:
            game, progress = _pretrained(game, progress, given.objective, rows, share)
        turns = game.turns.now(images) if images >= filled.pretraining else (1, 0)
        source = partial(serve.source, images)
        progress, outcome = train_step(game, progress, partial(next, serve.batches), turns, source, watched=False)
        before, images = images, images + turns[0] * filled.batch
        finite = finite & outcome.finite
        if told and images * TELLS // filled.images > before * TELLS // filled.images:
            told(images // filled.batch, _mean(outcome))
    if not bool(finite.any()):
        raise DivergedError("the losses of every model became infinite or NaN: choose a smaller learning rate")
    weights = {name: value.detach().cpu() for name, value in game.discriminator.net.state_dict().items()}
    return Trained(given, shape, weights)


class _Rows:
    """Serves batches of rows in an order that depends only on the seeds."""

    def __init__(self, rows: Tensor, batch: int, randomness: Randomness) -> None:
        self.rows, self.batch, self.randomness = rows, batch, randomness
        self.batches = self._batches()
        self._orders: dict[str, tuple[int, Tensor]] = {}

    def source(self, images: int, turn: int) -> Batch:
        """The rows from which the samples of a turn start (for samplers that add noise to data)."""
        return Batch(self._at(images, f"source{turn}"))

    def _batches(self) -> Iterator[Batch]:
        first = 0
        while True:
            yield Batch(self._at(first, "data"))
            first += self.batch

    def _at(self, first: int, purpose: str) -> Tensor:
        indices = stretch(first, len(self.rows), self.batch, partial(self._order, purpose))
        return picked(self.rows, indices)

    def _order(self, purpose: str, epoch: int) -> Tensor:
        known, order = self._orders.get(purpose, (-1, torch.empty(0)))
        if known != epoch:
            order = self.randomness.permutation(purpose, len(self.rows), epoch)
            self._orders[purpose] = epoch, order
        return order


def _filled(objective: Any, rows: int) -> Any:
    """The objective with its None fields filled; the margin is a placeholder until pretraining has ended."""
    if isinstance(objective, EBGAN) and objective.margin is None:
        return replace(objective, margin=1.0)
    if isinstance(objective, MAGAN) and objective.epoch is None:
        return replace(objective, epoch=rows)
    return objective


def _pretrained(game: Game, progress: Progress, objective: Any, rows: Tensor, share: float) -> tuple[Game, Progress]:
    """The game and progress after pretraining; a margin of None is set for each model."""
    some = rows[:: -(-len(rows) // SURVEYED)]
    reached = energies(game.discriminator.net, game.energy, some, game.randomness.seeds.shape)
    if isinstance(objective, EBGAN) and objective.margin is None and isinstance(game.energy, AutoencoderEnergy):
        mean = reconstruction_error(game.energy.unit, some.mean(0, keepdim=True).expand_as(some), some).mean()
        margin: Any = torch.lerp(reached.mean(-1), mean.expand(reached.shape[:-1]), share)
        game = replace(game, objective=replace(objective, margin=margin))
    return game, progress._replace(objective=game.objective.after_pretraining(progress.objective, reached))


def _mean(outcome: Outcome) -> float:
    return float(outcome.values["energy_real"].mean())
