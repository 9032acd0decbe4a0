"""A trained run, loaded from its folder: samples, energies, reconstructions and codes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ebgan.data import Dataset, scaled
from ebgan.data.given import Given, Limits
from ebgan.distributed import usable_device
from ebgan.errors import DataError, UsageError
from ebgan.experiment import Experiment
from ebgan.nets.base import Autoencoder, Classifier, Generator, TransitionGenerator
from ebgan.randomness import Randomness
from ebgan.records import Batch
from ebgan.runs.notebook import as_html
from ebgan.runs.reading import from_limits, reader_of, refuse_misfit, to_limits
from ebgan.runs.sharing.shareable import Shareable
from ebgan.samplers import CurrentEnergy, DrawKey, Langevin, Noised, Prior, Replay, no_source
from ebgan.storage.runfolder import RunFolder

if TYPE_CHECKING:
    from ebgan.runs.refinement import Refinement

CHUNK = 512  # most images that pass through a net at a time
CHUNK_PIXELS = CHUNK * 64 * 64  # most pixels at a time, for one channel
SAMPLING = 0xFFFFFFFF  # a turn that no training step has, so that samples use other noise than training


class DataFacts(NamedTuple):
    """Facts of the data that a run was trained on."""

    shape: tuple[int, int, int]  # C, H, W
    classes: tuple[str, ...]  # names of the classes, () if it has none
    checksum: str


@dataclass(repr=False, eq=False, kw_only=True)
class Run(Shareable):
    """A generator and an energy with the weights of a checkpoint.

    Samples come out in [-1, 1]; points [dims, 1, 1] as they are. Images go in as a tensor or array of floats in
    [-1, 1], or in `limits`, as uint8 from 0 to 255, as Pillow pictures, or as a list of these: [count, C, H, W],
    [count, H, W, C], or a single image, which is a batch of one. Pictures and uint8 images of another size are cropped
    and resized like the run's data. Other input raises UsageError, which says how to convert it.
    """

    experiment: Experiment
    data: DataFacts
    generator: nn.Module
    discriminator: nn.Module
    device: torch.device
    home: RunFolder | None = None
    seen: int | None = None  # real images that the discriminator had seen; None where it is not known

    @property
    def folder(self) -> RunFolder:
        """The folder of the run. Raises UsageError for a run that has none."""
        if self.home is None:
            raise UsageError("this run is in memory and has no folder")
        return self.home

    @property
    def name(self) -> str:
        """The run's path, for messages."""
        return str(self.home.path) if self.home else "in memory"

    def __repr__(self) -> str:
        spec = self.experiment
        shape = "x".join(map(str, self.data.shape))
        kind = "points" if spec.data.limits is None else "images"
        return f"<Run {self.name}: {type(spec.objective).__name__} of {shape} {kind}, on {self.device}>"

    def _repr_html_(self) -> str:
        """The text of `repr` and some samples, for notebooks."""
        return as_html(self)

    def to(self, device: torch.device | str) -> Run:
        """A copy of the run on a device. Raises UsageError if there is no such device."""
        there = usable_device(device)
        generator, discriminator = (copy.deepcopy(net).to(there) for net in (self.generator, self.discriminator))
        return replace(self, generator=generator, discriminator=discriminator, device=there)

    def state_dict(self) -> dict[str, Tensor]:
        """The weights and buffers of both nets, as `generator.NAME` and `discriminator.NAME`, without copying them."""
        nets = {"generator": self.generator, "discriminator": self.discriminator}
        return {f"{player}.{name}": value for player, net in nets.items() for name, value in net.state_dict().items()}

    def load_weights(self, tensors: Mapping[str, Tensor]) -> None:
        """Replace the weights by those of a checkpoint; the generator's by its moving average, if the run keeps one.

        Raises CheckpointError if they belong to other nets.
        """
        sampled = "average" if self.experiment.ema else "generator"
        for net, player in ((self.generator, sampled), (self.discriminator, "discriminator")):
            found = {name: tensors.get(f"{player}.{name}") for name in net.state_dict()}
            for name, value in net.state_dict().items():
                refuse_misfit(self.name, f"{player}.{name}", found[name], value)
            net.load_state_dict(found)

    @torch.no_grad()
    def sample(
        self, count: int, *, seed: int = 0, source: Given | None = None, refine: Refinement | None = None
    ) -> Float[Tensor, "count C H W"]:
        """Samples [count, C, H, W] of the generator (of its moving average, if the run keeps one), fixed by the seed.

        Samples of a run with transitions start from the images of `source` in turn, by default from `sources` of the
        run's data. Other runs start from noise and ignore `source`. With `refine` samples are chosen or moved by their
        energy; `refine.refined` does the same and also returns the cost.
        """
        if refine is not None:
            return refine.refined(self, count, seed=seed).samples
        start = self.sources(count, seed=seed) if source is None else self._read(source)
        randomness = Randomness.of(seed, self.device)
        step = self._at_a_time
        chunks = [self._chunk(randomness, first, min(step, count - first), start) for first in range(0, count, step)]
        return torch.cat(chunks) if chunks else torch.empty(0, *self.data.shape)

    @property
    def prior(self) -> Prior:
        """The sampler that draws noise. Raises UsageError for a run whose samples start from images."""
        sampler = self.experiment.sampler
        if sampler.independent:
            raise UsageError(f"{self.name}: its samples are chains of the energy, not made by a generator from noise")
        while isinstance(sampler, Replay | Noised | Langevin):
            sampler = sampler.sampler
        if not isinstance(sampler, Prior):
            raise UsageError(f"{self.name}: its samples start from images of the data, not from noise")
        return sampler

    def noise(
        self, count: int, *, seed: int = 0, truncation: float | None = None, first: int = 0
    ) -> list[Float[Tensor, "count ..."]]:
        """The noise that `sample` starts from: one tensor per noise input of the generator, truncated to +-truncation.

        `first` is the index of the first sample. Raises UsageError for a run whose samples start from images.
        """
        prior = self.prior
        assert isinstance(self.generator, Generator)
        noise = prior.noise(self.generator, DrawKey(Randomness.of(seed, self.device), first, SAMPLING, count))
        return noise if truncation is None else [prior.truncated(each, truncation) for each in noise]

    @torch.no_grad()
    def generate(self, noise: Sequence[Float[Tensor, "count ..."]]) -> Float[Tensor, "count C H W"]:
        """The samples from given noise: `generate(noise(count))` equals `sample(count)`."""
        return torch.cat([self._finished(self.generator(*piece)) for piece in self.pieces(noise)])

    def pieces(self, noise: Sequence[Float[Tensor, "count ..."]]) -> Iterator[tuple[Tensor, ...]]:
        """Noise in pieces, each of which passes the nets at a time, on the run's device."""
        return zip(*(torch.split(each.to(self.device), self._at_a_time) for each in noise), strict=True)

    def sources(self, count: int, data: Dataset | None = None, *, seed: int = 0) -> Float[Tensor, "count C H W"] | None:
        """Images for samples to start from, drawn uniformly from the data; None if samples start from noise.

        By default the run's own data is opened. Raises DataError if it is missing or has changed.
        """
        if not self.experiment.sampler.conditional:
            return None
        data = data or self.reopened()
        indices = Randomness.of(seed).permutation("sources", len(data)).repeat(-(-count // len(data)))[:count]
        limits = None if self.experiment.data.limits is None else (-1.0, 1.0)
        return scaled(torch.from_numpy(data.images[indices.numpy()]), limits)

    def energy(self, images: Given, *, limits: Limits = (-1.0, 1.0)) -> Float[Tensor, " count"]:
        """The energy [count] of each image, low for data, in the unit of the run's energy for its data range."""
        return self._through(images, limits, self._read_energy)

    def encode(self, images: Given, *, limits: Limits = (-1.0, 1.0)) -> Float[Tensor, "count features"]:
        """The features from which the energy is computed: the code of an auto-encoder."""
        return self._through(images, limits, lambda x: self.experiment.energy.features(self.discriminator, x))

    def reconstruct(self, images: Given, *, limits: Limits = (-1.0, 1.0)) -> Float[Tensor, "count C H W"]:
        """Reconstructions of images by the discriminator if it is an auto-encoder, else by a transition generator.

        Raises UsageError if the run has neither.
        """
        discriminator, generator, own = self.discriminator, self.generator, self.experiment.data.limits
        if isinstance(discriminator, Autoencoder):
            return self._through(images, limits, lambda x: from_limits(discriminator(x)[1], own))
        if isinstance(generator, TransitionGenerator):
            return self._through(images, limits, lambda x: from_limits(generator(x), own))
        raise UsageError(f"{self.name}: has no auto-encoder, and cannot reconstruct images")

    def classify(self, images: Given, *, limits: Limits = (-1.0, 1.0)) -> Float[Tensor, "count classes"]:
        """The probability of each class of the data. Raises UsageError if the run learned no classes."""
        net = self.discriminator
        if not isinstance(net, Classifier):
            raise UsageError(f"{self.name}: has no classifier")
        return self._through(images, limits, lambda x: net.classify(x).softmax(-1))

    def check_data(self, data: Dataset) -> None:
        """Raise DataError for other data than the run was trained on."""
        if data.shape != self.data.shape or data.checksum != self.data.checksum:
            raise DataError(f"{data.name}: not the data that the run was trained on: give that by --data")

    @property
    def _at_a_time(self) -> int:
        """The number of images that pass through a net at a time, fewer if they are large."""
        _, height, width = self.data.shape
        return max(1, min(CHUNK, CHUNK_PIXELS // (height * width)))

    def _chunk(self, randomness: Randomness, first: int, count: int, source: Tensor | None) -> Tensor:
        def start() -> Batch:
            if source is None:
                return no_source()
            indices = torch.arange(first, first + count) % len(source)
            return Batch(to_limits(source[indices].to(self.device), self.experiment.data.limits))

        key = DrawKey(randomness, first, SAMPLING, count)
        sample = self.experiment.sampler.sample(self.generator, key, start)
        energy = CurrentEnergy(self.discriminator, self._read_energy, self.experiment.data.limits)
        return self._finished(self.experiment.sampler.finished(sample, key, energy))

    def _read_energy(self, images: Tensor) -> Tensor:
        return self.experiment.energy.read(self.discriminator, images).energy

    def _finished(self, images: Tensor) -> Tensor:
        """Generated images, converted to the range [-1, 1] and type that users get."""
        images = from_limits(images, self.experiment.data.limits).cpu()
        return images if self.experiment.data.limits is None else images.clamp(-1, 1)

    def reopened(self) -> Dataset:
        """The data that the run was trained on. Raises DataError if it is missing or has changed."""
        try:
            data = self.experiment.data.open()
        except DataError as error:
            raise DataError(f"{self.name}: samples start from images of the data, unless given: {error}") from error
        if data.checksum != self.data.checksum:
            raise DataError(
                f"{data.name}: not the data that the run was trained on, from which its samples start: give images by "
                "--from, or as `source`"
            )
        return data

    def _read(self, images: Given, limits: Limits = (-1.0, 1.0)) -> Tensor:
        return reader_of(self.experiment.data, self.data.shape)(images, limits)

    @torch.no_grad()
    def _through(self, images: Given, limits: Limits, function: Callable[[Tensor], Tensor]) -> Tensor:
        chunks = torch.split(self._read(images, limits), self._at_a_time)
        return torch.cat([function(to_limits(x.to(self.device), self.experiment.data.limits)).cpu() for x in chunks])
