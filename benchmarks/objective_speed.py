"""What a step of each objective costs on the stages of the comparison, where nets, data and batch are the same.

    python benchmarks/objective_speed.py

A step is that of the recipe: as many turns of either player as it has. Times alternate within one run, and the least of
all rounds counts; a round is told on stderr. Beside it: the time for each thousand images of the data, by which a run's
length is counted.
"""

from __future__ import annotations

import argparse
import sys
import time

import torch

from ebgan.data import Loader
from ebgan.experiment.building import build
from ebgan.recipes import find
from ebgan.recipes.methods import METHODS
from ebgan.reproductions.comparison import STAGES
from ebgan.training.step import train_step

ROUNDS, STEPS = 5, 10


class Course:
    """A recipe in training."""

    def __init__(self, recipe: str) -> None:
        self.experiment = find(recipe).make()
        data = self.experiment.data.open()
        self.game, self.progress = build(self.experiment, data.shape)
        limits = self.experiment.data.limits
        loader = Loader(data, batch=self.experiment.batch, randomness=self.game.randomness, limits=limits)
        self.draw = loader.batches(0).__next__
        self.turns = self.experiment.turns.now(0)
        self.best = float("inf")

    def go(self) -> None:
        """Take some steps and keep the time of one, if it is the least so far."""
        begun = time.perf_counter()
        for _ in range(STEPS):
            self.progress, _ = train_step(self.game, self.progress, self.draw, self.turns)
        self.best = min(self.best, (time.perf_counter() - begun) / STEPS)


def main() -> None:
    """Print a table of all stages."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(f"{torch.get_num_threads()} threads", flush=True)
    for stage in STAGES:
        courses = {name: Course(f"{stage}.{name}") for name in METHODS}
        for turn in range(ROUNDS):
            for course in courses.values():
                course.go()
            print(f"{stage}: round {turn + 1} of {ROUNDS}", file=sys.stderr, flush=True)
        for name, course in courses.items():
            images = course.experiment.batch * course.turns[0]
            print(
                f"{stage}.{name:<14} {1e3 * course.best:7.2f} ms a step {1e6 * course.best / images:7.1f} ms for 1,000",
                flush=True,
            )


if __name__ == "__main__":
    main()
