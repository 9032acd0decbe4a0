"""The base of refinements: ways to make better samples of a trained run, at a higher cost for each."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from ebgan.errors import UsageError
from ebgan.nets.base import ByClass
from ebgan.runs.refinement.ratio import Calibration, calibrated
from ebgan.runs.run import Run

MOST_BUDGET = 10_000


class Made(NamedTuple):
    """Refined samples, and how many images they took."""

    samples: Tensor  # [count, C, H, W] in [-1, 1]; points as they are
    candidates: int  # samples that could be accepted
    accepted: int
    passes: int  # images that the generator made; the discriminator read no more


@dataclass(frozen=True)
class Refined:
    """Refined samples, and what they cost."""

    made: Made
    seconds: float  # without calibration
    calibration: float  # seconds; the same for any number of samples

    @property
    def samples(self) -> Tensor:
        """The samples [count, C, H, W] in [-1, 1]; points as they are."""
        return self.made.samples

    @property
    def acceptance(self) -> float:
        """The share of the candidates that were accepted."""
        return self.made.accepted / max(self.made.candidates, 1)


class Refinement(ABC):
    """Subclasses are final, frozen dataclasses. `budget` is how many images pass each net for a sample, at most."""

    budget: int

    def refined(self, run: Run, count: int, *, seed: int = 0) -> Refined:
        """Refined samples of a run, the same for the same seed.

        Raises UsageError for a run whose samples start from images, and DataError if the data, which calibrates the
        energy, is no longer where the run had it.
        """
        run.noise(0)  # which a run without noise refuses
        if isinstance(run.generator, ByClass):
            raise UsageError(f"refine: {run.name} has an energy for each class: take ebgan.of_class(run, NAME)")
        start = time.perf_counter()
        calibration = calibrated(run)
        between = time.perf_counter()
        made = self.make(run, calibration, count, seed)
        return Refined(made, time.perf_counter() - between, between - start)

    @abstractmethod
    def make(self, run: Run, calibration: Calibration, count: int, seed: int) -> Made:
        """Make refined samples, given the calibrated energy."""
