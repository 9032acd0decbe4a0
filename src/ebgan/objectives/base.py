"""What every adversarial objective is: readings -> losses, and a state that moves.

An objective is a value. What changes while training (a balance, a margin, a schedule's clock) is a record of tensors
that goes in and comes out, so that no checkpoint can forget it and no log line can move it twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, Literal, NamedTuple, TypeVar, cast

import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.records import Batch, Losses, Means, Reading, Sample

State = TypeVar("State", bound=tuple[object, ...])
Rule = Literal["epoch", "margin"]  # as many images as the data has; a margin that is calibrated on the data
Place = Literal["data", "samples", "between"]  # where slopes are taken; "between" is on lines from data to samples


class Stateless(NamedTuple):
    """The state of an objective in which nothing moves."""


class Asks(NamedTuple):
    """What an objective asks of the energy, the data, the sampler and the trainer."""

    needs: frozenset[str] = frozenset()  # of an energy (`Energy.gives`): "code", "logits", "experts" or "floor"
    from_data: Mapping[str, Rule] = {}  # its fields that are None and get a number from the data, by their rule
    pretrained: bool = False  # to begin with a discriminator that was trained on data alone
    convergence: bool = False  # whether `watch` gives a `convergence`, lower the better, never negative (`Plateau`)
    classifies: bool = False  # labelled images, whose classes it learns by its `classification`
    slopes: Mapping[Place, int] = {}  # where its `penalty` takes the energy's slopes, every how many turns of D
    compares: bool = False  # in the generator's turn, a reading of the data beside the samples' (`Sample.data`)
    draws: int = 0  # uniform numbers for each image, by which `shown` changes what the discriminator reads
    reads_images: bool = False  # the images of its readings, which ranks then exchange as well
    conditional: bool = False  # what samples started from and how it was reconstructed, which ranks then exchange
    alarms: frozenset[str] = frozenset({"dead energy"})  # of `training.alarms`, those that can be right of it
    limits: tuple[float, float] | None = None  # the only range of the data that it makes sense on; None is any


class Objective(ABC, Generic[State]):
    """Subclasses are final, frozen, keyword-only dataclasses whose float fields may hold a tensor [*models].

    Energies, codes and logits are those of the whole batch: the trainer gathers the slices of all ranks before an
    objective sees them. Images are this rank's unless it asks for them (`Asks.reads_images`), and labels always; of a
    sample it reads source and reconstruction alone, those of all ranks, and only if it is `conditional`.
    """

    def init(self, models: tuple[int, ...] = (), device: torch.device | str | None = None) -> State:
        """The state before the first step, each tensor [*models] or []; by default nothing moves."""
        return cast("State", Stateless())

    @abstractmethod
    def discriminator(self, state: State, real: Reading, fake: Reading, batch: Batch) -> Losses:
        """The loss [*models] that the discriminator descends."""

    @abstractmethod
    def generator(self, state: State, fake: Reading, sample: Sample) -> Losses:
        """The loss [*models] that the generator descends."""

    def penalty(self, state: State, place: Place, slopes: Tensor) -> Losses:
        """What the discriminator also descends if the objective asks for `slopes` at a place.

        `slopes` [*models, batch] are the lengths of the energy's gradient with respect to the images there.
        """
        raise UsageError(f"{type(self).__name__} asks for no slopes")

    def shown(self, state: State, images: Tensor, numbers: Tensor) -> Tensor:
        """What the discriminator reads in place of images [*models, batch, C, H, W] if the objective `draws`.

        `numbers` [*models, batch, draws] are uniform in (0, 1], the same for the data and the samples of a turn.
        """
        return images

    def data_loss(self, state: State, real: Reading, batch: Batch) -> Losses:
        """The loss that the discriminator descends while the generator has no turns: the energy of the data."""
        return Losses.of(real=real.energy.mean(-1))

    def classification(self, state: State, logits: Tensor, labels: Tensor) -> Losses:
        """What the discriminator also descends if the objective `classifies`.

        `logits` [*models, batch, classes] and `labels` [*models, batch] are those of the labelled images.
        """
        raise UsageError(f"{type(self).__name__} learns no classes")

    def update(self, state: State, means: Means) -> State:
        """The state after a step whose mean energies were `means`; by default the state itself."""
        return state

    def skip_generator(self, state: State, images: Tensor) -> State:
        """The state after a step in which the generator had no turn; by default the state itself."""
        return state

    def after_pretraining(self, state: State, energies: Tensor) -> State:
        """The state after pretraining, given the energies [*models, n] of the data; by default the state itself."""
        return state

    def metrics(self, state: State, fake: Reading, means: Means) -> dict[str, Tensor]:
        """What a report should show beside the losses and energies, each [*models]; `fake` is D's reading of G(z).

        What the objective moves is named `state/NAME`.
        """
        return {}

    @property
    def asks(self) -> Asks:
        """What it asks for; by default energies alone."""
        return Asks()
