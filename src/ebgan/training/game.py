"""The game: two players and the rules of training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn

from ebgan.distributed import gather_across_ranks, rank
from ebgan.energies import Energy
from ebgan.errors import check_least, check_most
from ebgan.nets.base import ByClass, Classifier
from ebgan.nets.layers import couples
from ebgan.objectives import Objective, Place
from ebgan.objectives.base import Asks
from ebgan.randomness import Randomness
from ebgan.records import Batch, Losses, Reading, Sample
from ebgan.samplers import CurrentEnergy, DrawKey, Sampler
from ebgan.schedules import Schedule
from ebgan.training.classes import alternating, others, read, read_parts
from ebgan.training.parts import in_part, joined
from ebgan.training.plateau import Plateau
from ebgan.training.player import Player

MOST_TURNS = 10_000  # of a player in a step
READING = {"images": -4, "energy": -1, "code": -2, "logits": -1}  # the batch axis of each field
OBSERVED = 8  # batches from one observed to the next; in a Ladder network, observing takes a seventh of a step
SAMPLE = {"images": -4, "source": -4, "reconstruction": -4, "negatives": -4, "labels": -1}


@dataclass(frozen=True, kw_only=True)
class Turns:
    """How often each player moves in a step. While the generator has no turn, the discriminator reads only data."""

    discriminator: int | Schedule = 1  # each on fresh data and fresh noise
    generator: int | Schedule = 1  # each on fresh noise
    fresh: bool = True  # whether the generator's first turn makes its own samples, not the discriminator's last ones
    joined: bool = False  # whether to read real and fake as one batch, even if batch norm then mixes them

    def __post_init__(self) -> None:
        if isinstance(self.discriminator, int):
            check_least("turns", 1, discriminator=self.discriminator)  # time is counted in the images that it reads
            check_most("turns", MOST_TURNS, discriminator=self.discriminator)
        if isinstance(self.generator, int):
            check_least("turns", 0, generator=self.generator)
            check_most("turns", MOST_TURNS, generator=self.generator)

    def now(self, seen: int) -> tuple[int, int]:
        """The turns (discriminator, generator) after `seen` images; the discriminator has at least one."""
        clock = torch.tensor(seen)
        both = (self.discriminator, self.generator)
        discriminator, generator = (int(each.at(clock)) if isinstance(each, Schedule) else each for each in both)
        return max(discriminator, 1), max(generator, 0)


@dataclass(frozen=True)
class Game:
    """Everything that a training step uses: two players, and the rules."""

    generator: Player[nn.Module]
    discriminator: Player[nn.Module]
    energy: Energy
    sampler: Sampler[Any]
    objective: Objective[Any]
    randomness: Randomness
    turns: Turns = Turns()
    plateau: Plateau | None = None
    parts: int = 1  # number of parts in which a batch passes the nets, to save memory
    limits: tuple[float, float] | None = None  # the data's range; None for points

    def set_clock(self, seen: Tensor) -> None:
        """Set the number of images seen in nets that depend on it."""
        for clock in (*self.generator.clocks, *self.discriminator.clocks):
            clock.copy_(seen)

    def read(self, images: Tensor, labels: Tensor | None = None) -> Reading:
        """Read this rank's images with the discriminator, and gather the readings of all ranks.

        Nets by class read images of these classes.
        """
        return self._gather(self._read(images, labels))

    def read_both(
        self, real: Tensor, fake: Tensor, labels: Tensor | None = None, fakes: Tensor | None = None
    ) -> tuple[Reading, Reading]:
        """Read the data, of classes `labels`, and as many samples, of classes `fakes`: in a pass each, or one for both.

        In a joined batch real and fake alternate, so that the ranks' batches, concatenated, equal that of one rank.
        """
        if not self.joined:
            return self.read(real, labels), self.read(fake, fakes)
        both = self._read(torch.stack((real, fake), -4).flatten(-5, -4), alternating(labels, fakes))
        return self._gather(_every_other(both, 0, real)), self._gather(_every_other(both, 1, fake))

    def misnamed(self, images: Tensor, labels: Tensor, first: Tensor | int) -> Reading:
        """Read the data, each image under another class than its own."""
        net = self.discriminator.net
        assert isinstance(net, ByClass)
        return self.read(images, others(labels, net, self._key(first, 0, images.shape[-4])))

    def observe(self, batch: Batch, first: Tensor | int) -> None:
        """Show the data to a discriminator that keeps statistics of it for evaluation.

        If the host knows the index `first` of the batch, one batch in OBSERVED is enough.
        """
        whole = batch.images.shape[-4] * rank().count
        if isinstance(self.discriminator.net, Classifier) and (
            isinstance(first, Tensor) or first // whole % OBSERVED == 0
        ):
            self.discriminator.net.observe(batch)

    def classify(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The class logits and the labels of the batch's labelled images, of all ranks."""
        net, labelled = self.discriminator.net, batch.labelled
        assert isinstance(net, Classifier)
        assert labelled is not None
        assert labelled.labels is not None
        return gather_across_ranks(net.classify(labelled.images), -2), gather_across_ranks(labelled.labels, -1)

    def shown(self, state: Any, images: Tensor, first: Tensor | int, turn: int) -> Tensor:
        """Images as the discriminator reads them: changed at random if the objective `draws`.

        The images of a turn are changed by the same numbers whether they are data or samples.
        """
        draws = self.asks.draws
        if not draws:
            return images
        key = self._key(first, turn, images.shape[-4])
        numbers = self.randomness.uniform("shown", key.count, draws, first=key.first, turn=turn)
        return self.objective.shown(state, images, numbers.to(images.dtype))

    def penalties(self, state: Any, real: Tensor, fake: Tensor, first: Tensor | int) -> Iterator[Losses]:
        """The penalties on slopes that are due in the discriminator's turn from image `first` on.

        Reads `first` where an interval is longer than 1, which waits for the device unless it is an int.
        """
        whole = real.shape[-4] * rank().count
        for place, interval in self.asks.slopes.items():
            if interval == 1 or int(first) // whole % interval == 0:
                yield self.objective.penalty(state, place, self.slopes(place, real, fake, first))

    def slopes(self, place: Place, real: Tensor, fake: Tensor, first: Tensor | int) -> Tensor:
        """The lengths [*models, batch] of the energy's gradient at the data, the samples or between.

        Between is at a random place of its own on the line from each sample to an image; a loss of the lengths reaches
        the discriminator's weights.
        """
        real, fake = real.detach().to(fake.dtype), fake.detach()
        points = {"data": real, "samples": fake}
        images = (self._between(real, fake, first) if place == "between" else points[place]).requires_grad_()
        energy = self.energy.read(self.discriminator.net, images).energy
        (gradient,) = torch.autograd.grad(energy.sum(), images, create_graph=True)
        lengths: Tensor = torch.linalg.vector_norm(gradient.flatten(-3), dim=-1)
        return gather_across_ranks(lengths, -1)

    def _between(self, real: Tensor, fake: Tensor, first: Tensor | int) -> Tensor:
        count = real.shape[-4]
        place = self.randomness.uniform("probe", count, 1, 1, 1, first=first + rank().index * count)
        return torch.lerp(fake, real, place.to(fake.dtype))

    def learning_rates(self, seen: Tensor, factor: Tensor | None) -> dict[str, Tensor]:
        """The current learning rates [*models] or [], by their names in records, of players whose rate changes."""
        optimisers = {"discriminator": self.discriminator.optimiser, "generator": self.generator.optimiser}
        return {
            f"learning_rate/{name}": optimiser.learning_rate(seen, factor)
            for name, optimiser in optimisers.items()
            if self.plateau or optimiser.scheduled
        }

    def sample(self, first: Tensor | int, turn: int, count: int, source: Callable[[], Batch]) -> Sample:
        """Make the samples of a turn, this rank's share."""
        key = self._key(first, turn, count)
        if not self._parted:
            return self.sampler.sample(self.generator.net, key, source)
        stretches = torch.arange(count).chunk(self.parts)
        return joined([self._sampled(key, int(part[0]), len(part), source) for part in stretches], SAMPLE)

    def replay(
        self, memory: Any, sample: Sample, first: Tensor | int, source: Callable[[], Batch]
    ) -> tuple[Sample, Any]:
        """Choose what the discriminator is shown (`Sampler.replay`): the sample and the new memory."""
        net = self.discriminator.net
        energy = CurrentEnergy(net, lambda images: self.energy.read(net, images).energy, self.limits)
        return self.sampler.replay(memory, sample, self._key(first, 0, sample.images.shape[-4]), source, energy)

    def whole(self, sample: Sample) -> Sample:
        """The sample with sources and reconstructions gathered from all ranks, if the objective reads them."""
        if not self.asks.conditional:
            return sample
        parts = (sample.source, sample.reconstruction)
        source, reconstruction = (None if x is None else gather_across_ranks(x, -4) for x in parts)
        return sample._replace(source=source, reconstruction=reconstruction)

    @cached_property
    def asks(self) -> Asks:
        """What the objective asks for; a wrapper works it out anew each time that it is asked."""
        return self.objective.asks

    @cached_property
    def joined(self) -> bool:
        """Whether real and fake share a pass: if requested, or if readings are the same and it is faster."""
        return self.turns.joined or (self.parts == 1 and not couples(self.discriminator.net))

    @property
    def _parted(self) -> bool:
        return self.parts > 1 and torch.is_grad_enabled()

    def _read(self, images: Tensor, labels: Tensor | None) -> Reading:
        net = self.discriminator.net
        if not self._parted:
            return read(self.energy, net, images, labels)
        return joined(read_parts(self.energy, net, images, labels, self.parts), READING)

    def _sampled(self, whole: DrawKey, begin: int, count: int, source: Callable[[], Batch]) -> Sample:
        """A part of the samples of a turn."""
        net, key = self.generator.net, replace(whole, first=whole.first + begin, count=count)

        def start() -> Batch:
            return Batch(source().images.narrow(-4, begin, count))

        return in_part(net, partial(self.sampler.sample, net, key, start))

    def _key(self, first: Tensor | int, turn: int, count: int) -> DrawKey:
        return DrawKey(self.randomness, first + rank().index * count, turn, count)

    def _gather(self, reading: Reading) -> Reading:
        if rank().count == 1:
            return reading
        images, energy, code, logits = reading
        return Reading(
            gather_across_ranks(images, -4) if self.asks.reads_images else images,
            gather_across_ranks(energy, -1),
            code if code is None else gather_across_ranks(code, -2),
            logits if logits is None else gather_across_ranks(logits, -1),
        )


def _every_other(reading: Reading, start: int, images: Tensor) -> Reading:
    """The reading of every other sample of a batch, with these images."""
    _, energy, code, logits = reading
    return Reading(
        images,
        energy[..., start::2],
        code if code is None else code[..., start::2, :],
        logits if logits is None else logits[..., start::2],
    )
