"""The base of every adversarial objective: readings -> losses, and a state that changes.

An objective itself never changes. Whatever changes during training (a balance, a margin, a schedule's clock) is a
record of tensors that methods take and return, so that every checkpoint contains it.
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
Rule = Literal["epoch", "margin"]  # the number of images in the data; a margin calibrated on the data
Place = Literal["data", "samples", "between"]  # where slopes are taken; "between" is on lines from data to samples


class Stateless(NamedTuple):
    """The state of an objective whose state never changes."""


class Asks(NamedTuple):
    """What an objective asks of the energy, the data, the sampler and the trainer."""

    needs: frozenset[str] = frozenset()  # what the energy must give (`Energy.gives`)
    from_data: Mapping[str, Rule] = {}  # fields that are None and are filled from the data, with the rule
    pretrained: bool = False  # whether the discriminator must first be trained on data alone
    convergence: bool = False  # whether `metrics` has `convergence`: 0 or more, lower is better (`Plateau`)
    classifies: bool = False  # whether it learns classes from labelled images (`classification`)
    slopes: Mapping[Place, int] = {}  # where its `penalty` takes the energy's slopes, every how many turns of D
    compares: bool = False  # in the generator's turn, a reading of the data beside the samples' (`Sample.data`)
    misnames: bool = False  # whether D also reads data under wrong classes (`misnamed`)
    draws: int = 0  # uniform numbers for each image, by which `shown` changes what the discriminator reads
    reads_images: bool = False  # whether it reads images; ranks then exchange them too
    conditional: bool = False  # whether it reads a sample's source and reconstruction; ranks then exchange them
    alarms: frozenset[str] = frozenset({"dead energy"})  # alarms (`training.alarms`) that make sense for it
    limits: tuple[float, float] | None = None  # the range that the data must have; None: any


class Objective(ABC, Generic[State]):
    """Subclasses are final, frozen, keyword-only dataclasses whose float fields may hold a tensor [*models].

    Energies, codes and logits are those of the whole batch: the trainer gathers them from all ranks first. Images are
    this rank's unless the objective `reads_images`; labels always are this rank's. From a sample an objective reads
    only source and reconstruction, gathered from all ranks, and only if it is `conditional`.
    """

    def init(self, models: tuple[int, ...] = (), device: torch.device | str | None = None) -> State:
        """The state before the first step, each tensor [*models] or []; by default an empty one."""
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
        """The discriminator's loss while the generator has no turns; by default the mean energy of the data."""
        return Losses.of(real=real.energy.mean(-1))

    def classification(self, state: State, logits: Tensor, labels: Tensor) -> Losses:
        """A loss [*models] added to the discriminator's if the objective `classifies`.

        `logits` [*models, batch, classes] and `labels` [*models, batch] are those of the labelled images.
        """
        raise UsageError(f"{type(self).__name__} learns no classes")

    def misnamed(self, state: State, real: Reading, wrong: Reading, batch: Batch) -> Losses:
        """A loss [*models] added to the discriminator's if the objective `misnames`.

        `wrong` is the reading of the data, each image under another class than its own.
        """
        raise UsageError(f"{type(self).__name__} reads no wrong classes")

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
        """Further metrics of a step for the report, each [*models]; `fake` is D's reading of G(z).

        Fields of the state are named `state/NAME`.
        """
        return {}

    @property
    def asks(self) -> Asks:
        """The requirements of this objective; by default only energies."""
        return Asks()
