"""The base of samplers: how a generator makes samples, reproducibly at each step of training."""

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
    """Identifies a draw of samples: all random numbers of the draw follow from it."""

    randomness: Randomness
    first: Tensor | int  # [] index of the first sample in the whole training
    turn: int  # which of several draws at that index
    count: int  # samples to make for each model


Memory = TypeVar("Memory", bound=tuple[object, ...])


@dataclass(frozen=True)
class CurrentEnergy:
    """The discriminator's energy at this step of training, for samplers whose negatives follow its slopes."""

    net: nn.Module  # the discriminator's
    read: Callable[[Tensor], Tensor]  # images [*models, n, C, H, W] -> energies [*models, n]
    limits: tuple[float, float] | None  # the data's range; None for points


class Memoryless(NamedTuple):
    """The empty memory of a sampler that keeps nothing."""


class Sampler(ABC, Generic[Memory]):
    """Subclasses are final, frozen dataclasses without state.

    Random numbers follow from a `DrawKey`, and images of the data come from `source`. What a sampler keeps of earlier
    samples is a record of tensors that methods take and return, like an objective's state.
    """

    @property
    def conditional(self) -> bool:
        """Whether samples start from images of the data; they then have `source` and `reconstruction`."""
        return False

    @property
    def independent(self) -> bool:
        """Whether negatives need no generator: the discriminator reads them even while that has no turn."""
        return False

    @abstractmethod
    def check(self, generator: nn.Module) -> None:
        """Raise UsageError, with the mend, if this kind of generator does not fit the sampler."""

    @abstractmethod
    def init(self, context: BuildContext, dtype: torch.dtype, discriminator: nn.Module) -> Memory:
        """The memory before the first sample; each tensor is [*models, ...] or [].

        Raises UsageError, with the mend, if this kind of discriminator does not fit the sampler.
        """

    @abstractmethod
    def sample(self, generator: nn.Module, key: DrawKey, source: Callable[[], Batch]) -> Sample:
        """Make samples; `source` draws images of the data, for samplers that start from images."""

    def replay(
        self, memory: Memory, sample: Sample, key: DrawKey, source: Callable[[], Batch], energy: CurrentEnergy
    ) -> tuple[Sample, Memory]:
        """Choose what the discriminator is shown: the sample, with `negatives` if not its images, and the memory.

        `source` draws images of the data; `energy` is the discriminator's. By default both are returned unchanged.
        """
        return sample, memory

    def finished(self, sample: Sample, key: DrawKey, energy: CurrentEnergy) -> Tensor:
        """The images [*models, count, C, H, W] that users are given of a sample; by default its own."""
        return sample.images


def no_source(*place: int) -> Batch:  # noqa: ARG001
    """The default `source`, for samplers that need no images. Raises UsageError."""
    raise UsageError("these samples start from images of the data: give some")
