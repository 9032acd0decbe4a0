"""A sampler: how a generator makes samples at a moment of training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from ebgan.errors import UsageError
from ebgan.nets.base import BuildContext
from ebgan.randomness import Randomness
from ebgan.records import Batch, Sample


@dataclass(frozen=True)
class DrawKey:
    """When samples are made: which numbers are drawn follows from this alone."""

    randomness: Randomness
    first: Tensor | int  # [] the place of the first sample among all that are made
    turn: int  # which of the draws at that place
    count: int  # samples to make, a model


Memory = TypeVar("Memory", bound=tuple[object, ...])


class Memoryless(NamedTuple):
    """The memory of a sampler that has none."""


class Sampler(ABC, Generic[Memory]):
    """A value: what it needs of the data it asks for, what it needs of chance follows from the moment.

    What it keeps of earlier samples is a record of tensors that goes in and comes out, as an objective's state.
    Subclasses are final, frozen dataclasses.
    """

    @property
    def conditional(self) -> bool:
        """Whether its samples start from images of the data, and hold source and reconstruction."""
        return False

    @abstractmethod
    def check(self, generator: nn.Module) -> None:
        """Raise UsageError, with the mend, if the generator is of a kind that it makes no samples with."""

    @abstractmethod
    def init(self, context: BuildContext, dtype: torch.dtype) -> Memory:
        """The memory before the first sample; each tensor is [*models, ...] or []."""

    @abstractmethod
    def sample(self, generator: nn.Module, key: DrawKey, source: Callable[[], Batch]) -> Sample:
        """Samples from a generator; `source` draws images of the data for samplers that start from some."""

    def replay(
        self, memory: Memory, sample: Sample, key: DrawKey, source: Callable[[], Batch]
    ) -> tuple[Sample, Memory]:
        """The sample of a discriminator's turn with what it is shown (`negatives`, if not the images), and the memory.

        `source` draws images of the data. By default both are as they were.
        """
        return sample, memory


def no_source(*place: int) -> Batch:  # noqa: ARG001
    """What stands for a source of images where there is none. Raises UsageError."""
    raise UsageError("these samples start from images of the data: give some")
