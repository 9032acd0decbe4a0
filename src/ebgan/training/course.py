"""The training loop: step after step, with everything that belongs to a step.

    while seen < images:
        train_step, with the discriminator's turns alone while it is pretrained
        the moving average follows the generator
        at the end of pretraining: one pass over the data without training; the objective receives its energies

Until `pretraining` images have been seen, the generator has no turns and the discriminator descends
`objective.data_loss`. Then `objective.after_pretraining` receives the energies of the data; MAGAN takes its first
margin from them. The phase follows from the images seen, so that a resumed run knows it.

`seen` is the clock: the number of real images that the discriminator has read. The loop can continue from any
value of it, and whatever is done between two steps does not change what later steps compute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from ebgan.records import Batch
from ebgan.training.ema import Average
from ebgan.training.game import Game
from ebgan.training.step import Outcome, Progress, train_step


class Stride(NamedTuple):
    """A finished step."""

    before: int  # images seen before the step
    seen: int  # images seen after it
    outcome: Outcome


def unwatched(before: int, seen: int) -> bool:  # noqa: ARG001
    """Leave `Objective.metrics` out of each step."""
    return False


@dataclass
class Course:
    """A game in progress: everything that training changes, and where its batches come from."""

    game: Game
    progress: Progress
    average: Average | None  # of the generator's weights
    batches: Callable[[int], Iterator[Batch]]  # this rank's batches, from a number of images seen on
    source: Callable[[int, int], Batch]  # (images seen, turn of the step) -> images that samples start from
    batch: int  # images of all ranks in a batch
    epoch: int  # images in the data
    pretraining: int = 0  # until so many images are seen, the generator has no turn
    step: int = 0  # steps done
    seen: int = 0

    @property
    def turns(self) -> tuple[int, int]:
        """The turns of the discriminator and of the generator in the next step."""
        return self.game.turns.now(self.seen) if self.seen >= self.pretraining else (1, 0)

    def steps(
        self,
        images: int,
        *,
        watched: Callable[[int, int], bool] | None = None,
        paused: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Iterator[Stride]:
        """Train until `images` are seen, and yield each step.

        `watched`, given the images seen before and after a step, says whether its outcome includes `Objective.metrics`;
        by default it does. `paused` is entered around the pass over the data at the end of pretraining.
        """
        draw, weights = self.batches(self.seen).__next__, self.game.generator.weights()
        while self.seen < images:
            before, turns = self.seen, self.turns
            seen = before + turns[0] * self.batch
            source = partial(self.source, before)
            watch = watched is None or watched(before, seen)
            self.progress, outcome = train_step(
                self.game,
                self.progress,
                draw,
                turns,
                source,
                seen=before,
                watched=watch,
                pretraining=before < self.pretraining,
            )
            self.step, self.seen = self.step + 1, seen
            if self.average:
                self.average.follow(weights, seen - before)
            if before < self.pretraining <= seen:
                with paused():
                    self._begin()
            yield Stride(before, seen, outcome)

    def _begin(self) -> None:
        """End pretraining: pass the energies of one pass over the data to the objective."""
        batches = islice(self.batches(self.seen), max(self.epoch // self.batch, 1))
        state = self.game.objective.after_pretraining(self.progress.objective, data_energies(self.game, batches))
        self.progress = self.progress._replace(objective=state)


@torch.no_grad()
def data_energies(game: Game, batches: Iterable[Batch]) -> Tensor:
    """The energies [*models, n] of the data's batches by the discriminator as it is, in evaluation mode."""
    net = game.discriminator.net.eval()
    energies = torch.cat([game.read(batch.images, batch.labels).energy for batch in batches], -1)
    net.train()
    return energies
