"""Train an energy on rows that are in memory, several models of different seeds at once.

    first       the discriminator alone, on a third of all rows that it will see
    margin      between the energy reached and that of the mean row, by default halfway, for each model
    then        the game, if the objective has one

Halfway is the rule of `runs.calibration`, which trains a second time for it; here the game goes on from there.
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

Told = Callable[[int, float], None]  # hears of steps done, and of the mean energy of the data then
TELLS = 10  # times that it hears in a training
ROWS = 4096  # that pass the nets at once where no gradient is wanted
SURVEYED = 10_000  # rows, at most, that a margin is taken over


@dataclass(frozen=True)
class Trained:
    """Energies of several seeds, as plain values: what they are rebuilt from."""

    experiment: Experiment  # a stack's, or that of one model
    shape: tuple[int, int, int]
    weights: dict[str, Tensor]  # of the discriminator, on the CPU

    def net(self) -> nn.Module:
        """The discriminator in evaluation mode, in float64: the energy of a row is then the same in any batch."""
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
    """The energies [*models, n] of rows [n, C, H, W], in the net's precision."""
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
    """Train experiments that differ in their seed alone on rows [n, C, H, W], as a stack if there are several.

    A margin of None becomes the energy that lies a `share` of the way from the energy reached to the mean row's.
    Raises DivergedError where no model's losses stayed finite, and UsageError for parts that cannot work together.
    """
    alone = experiments[0] if len(experiments) == 1 else stacked(experiments)
    made = replace(alone, objective=_filled(alone.objective, len(rows)))
    rows, shape = rows.to(device), (rows.shape[1], rows.shape[2], rows.shape[3])
    game, progress = build(made, shape, device)
    serve, images = _Rows(rows, made.batch, game.randomness), 0
    finite = torch.ones((), dtype=torch.bool, device=rows.device)
    assert made.pretraining is not None
    while images < made.images:
        if images == made.pretraining:
            game, progress = _begun(game, progress, alone.objective, rows, share)
        turns = game.turns.now(images) if images >= made.pretraining else (1, 0)
        source = partial(serve.source, images)
        progress, outcome = train_step(
            game,
            progress,
            partial(next, serve.batches),
            turns,
            source,
            watched=False,
            pretraining=images < made.pretraining,
        )
        before, images = images, images + turns[0] * made.batch
        finite = finite & outcome.finite
        if told and images * TELLS // made.images > before * TELLS // made.images:
            told(images // made.batch, _mean(outcome))
    if not bool(finite.any()):
        raise DivergedError("the losses of every model grew beyond all numbers: choose a smaller learning rate")
    weights = {name: value.detach().cpu() for name, value in game.discriminator.net.state_dict().items()}
    return Trained(alone, shape, weights)


class _Rows:
    """Batches of rows in orders that follow from the seeds."""

    def __init__(self, rows: Tensor, batch: int, randomness: Randomness) -> None:
        self.rows, self.batch, self.randomness = rows, batch, randomness
        self.batches = self._batches()
        self._orders: dict[str, tuple[int, Tensor]] = {}

    def source(self, images: int, turn: int) -> Batch:
        """The rows that samples of a turn start from."""
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
    """The objective with numbers in the fields that wait for the data; a margin's is never read."""
    if isinstance(objective, EBGAN) and objective.margin is None:
        return replace(objective, margin=1.0)
    if isinstance(objective, MAGAN) and objective.epoch is None:
        return replace(objective, epoch=rows)
    return objective


def _begun(game: Game, progress: Progress, objective: Any, rows: Tensor, share: float) -> tuple[Game, Progress]:
    """The game after the discriminator's training alone, with a margin for each model if it waited for the data."""
    some = rows[:: -(-len(rows) // SURVEYED)]
    reached = energies(game.discriminator.net, game.energy, some, game.randomness.seeds.shape)
    if isinstance(objective, EBGAN) and objective.margin is None and isinstance(game.energy, AutoencoderEnergy):
        mean = reconstruction_error(game.energy.unit, some.mean(0, keepdim=True).expand_as(some), some).mean()
        margin: Any = torch.lerp(reached.mean(-1), mean.expand(reached.shape[:-1]), share)
        game = replace(game, objective=replace(objective, margin=margin))
    return game, progress._replace(objective=game.objective.after_pretraining(progress.objective, reached))


def _mean(outcome: Outcome) -> float:
    return float(outcome.values["energy_real"].mean())
