"""Training steps whose inputs, state and results keep their addresses, as a CUDA graph needs.

    batch buffers <- draw()            before the step
    train_step on the buffers          its clock and noise depend only on tensors on the device
    progress buffers <- new progress   within the step

On a CUDA device the first steps of a kind run normally, the next one is captured, and each later one is a single
launch. On other devices every step runs normally, on the same buffers and with the same numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ebgan.distributed import rank
from ebgan.errors import UsageError
from ebgan.nets.base import Classifier
from ebgan.nets.layers import Dropout
from ebgan.records import Batch
from ebgan.training.game import Game
from ebgan.training.step import Outcome, Progress, train_step

WARM = 3  # steps of a kind before its capture, in which libraries choose kernels and reserve memory

Kind = tuple[int, int, bool]  # turns of the discriminator and the generator, and whether all metrics are wanted


class CapturedStep:
    """`train_step` of one game, called like that function.

    Every batch must have the same shape. Raises UsageError for a game that needs the host within a step: samples
    that start from images, a discriminator that observes one batch in eight, penalties that are due every few steps,
    and several processes.
    """

    def __init__(self, game: Game) -> None:
        self.game = game
        self.progress: Progress | None = None
        self._batches: list[Batch] = []
        self._done: Counter[Kind] = Counter()
        self._captured: dict[Kind, tuple[torch.cuda.CUDAGraph, Outcome]] = {}
        _refuse(game)
        for player in (game.generator, game.discriminator):
            for layer in player.net.modules():
                if isinstance(layer, Dropout):
                    layer.ahead = False

    def __call__(
        self,
        progress: Progress,
        draw: Callable[[], Batch],
        turns: tuple[int, int] = (1, 1),
        *,
        watched: bool = True,
    ) -> tuple[Progress, Outcome]:
        """Update both players and the objective's state; see `train_step`.

        Every step returns the same tensors: read or copy them before the next step.
        """
        self._take(progress)
        assert self.progress is not None
        for turn in range(turns[0]):
            self._serve(turn, draw())
        kind = (*turns, watched)
        self._done[kind] += 1
        if self.progress.seen.device.type != "cuda" or self._done[kind] <= WARM:
            return self.progress, self._run(kind)
        if kind not in self._captured:
            self._captured[kind] = self._capture(kind)
        graph, outcome = self._captured[kind]
        graph.replay()
        return self.progress, outcome

    def _take(self, progress: Progress) -> None:
        """Continue from a progress other than that of the last step."""
        if self.progress is None:
            self.progress = _copy(progress)
        elif progress is not self.progress:
            _fill(self.progress, progress)

    def _serve(self, turn: int, batch: Batch) -> None:
        if turn == len(self._batches):
            self._batches.append(_copy(batch))
        else:
            _fill(self._batches[turn], batch)

    def _run(self, kind: Kind) -> Outcome:
        """A step from and to the buffers."""
        assert self.progress is not None
        draw = iter(self._batches).__next__
        after, outcome = train_step(self.game, self.progress, draw, kind[:2], watched=kind[2])
        values = {name: value.clone() for name, value in outcome.values.items()}  # some are the buffers themselves
        _fill(self.progress, after)
        return outcome._replace(values=values)

    def _capture(self, kind: Kind) -> tuple[torch.cuda.CUDAGraph, Outcome]:
        """Record a step's kernels without running them."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            outcome = self._run(kind)
        return graph, outcome


def _refuse(game: Game) -> None:
    """Raise UsageError for a game whose steps cannot be captured."""
    if game.sampler.conditional:
        raise UsageError("a step whose samples start from images of the data cannot be captured as a CUDA graph")
    if isinstance(game.discriminator.net, Classifier):
        raise UsageError("a step of a discriminator that names classes cannot be captured as a CUDA graph")
    if any(interval > 1 for interval in game.objective.asks.slopes.values()):
        raise UsageError(
            "a step whose penalties on slopes are due every few steps cannot be captured as a CUDA graph: choose "
            "objective.every=1"
        )
    if rank().count > 1:
        raise UsageError("a step that several processes share cannot be captured as a CUDA graph")


def _copy(record: Any) -> Any:
    """A copy of a nested record of tensors."""
    if record is None or isinstance(record, Tensor):
        return None if record is None else record.detach().clone()
    return type(record)(*map(_copy, record))


def _fill(into: Any, record: Any) -> None:
    """Copy the values of a nested record into the tensors of another one."""
    if isinstance(record, Tensor):
        into.copy_(record)
    elif record is not None:
        for target, value in zip(into, record, strict=True):
            _fill(target, value)
