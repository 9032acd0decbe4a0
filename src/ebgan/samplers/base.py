"""A sampler: how a generator makes samples at a moment of training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from ebgan.errors import UsageError
from ebgan.randomness import Randomness
from ebgan.records import Batch, Sample


@dataclass(frozen=True)
class Moment:
    """When samples are made: which numbers are drawn follows from this alone."""

    randomness: Randomness
    first: Tensor | int  # [] the place of the first sample among all that are made
    turn: int  # which of the draws at that place
    count: int  # samples to make, a model


class Sampler(ABC):
    """A value: what it needs of the data it asks for, what it needs of chance follows from the moment.

    Subclasses are final, frozen dataclasses. `conditional` ones start from images of the data, and their samples hold
    source and reconstruction.
    """

    conditional: bool = False

    @abstractmethod
    def check(self, generator: nn.Module) -> None:
        """Raise UsageError, with the mend, if the generator is of a kind that it makes no samples with."""

    @abstractmethod
    def sample(self, generator: nn.Module, moment: Moment, source: Callable[[], Batch]) -> Sample:
        """Samples from a generator; `source` draws images of the data for samplers that start from some."""


def no_source(*place: int) -> Batch:  # noqa: ARG001
    """What stands for a source of images where there is none. Raises UsageError."""
    raise UsageError("these samples start from images of the data: give some")
