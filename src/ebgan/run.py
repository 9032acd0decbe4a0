"""A trained run in use: samples, energies, reconstructions and codes, from its folder alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ebgan.distributed import default_device
from ebgan.errors import CheckpointError, UsageError
from ebgan.experiment import Experiment, Precision, build, read_experiment
from ebgan.nets.base import Autoencoder, Classifier, Generator
from ebgan.randomness import Randomness
from ebgan.records import Batch
from ebgan.runfolder import RunFolder
from ebgan.samplers import Moment
from ebgan.training.checkpoint import Checkpoint, newest, read

CHUNK = 512  # images that pass through a net at a time
SAMPLING = 0xFFFFFFFF  # a turn that no step of training has: samples are not of noise that was trained on


class DataFacts(NamedTuple):
    """What a run needs to know of the data that it was trained on."""

    shape: tuple[int, int, int]  # C, H, W
    classes: tuple[str, ...]  # names of the classes, () if it has none
    checksum: str


@dataclass(frozen=True)
class Run:
    """A generator and an energy with the weights of a checkpoint.

    Images go in, and samples come out, in [-1, 1]; points [dims, 1, 1] as they are.
    """

    experiment: Experiment
    folder: RunFolder
    data: DataFacts
    generator: Generator
    discriminator: nn.Module
    device: torch.device

    def take(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the weights of a checkpoint's tensors: of the generator's average, if the run keeps one."""
        sampled = "average" if self.experiment.ema else "generator"
        for net, player in ((self.generator, sampled), (self.discriminator, "discriminator")):
            net.load_state_dict({name: tensors[f"{player}.{name}"] for name in net.state_dict()})

    @torch.no_grad()
    def sample(self, count: int, *, seed: int = 0) -> Float[Tensor, "count C H W"]:
        """Samples of the generator (of its average, if the run kept one); the same for the same seed."""
        randomness = Randomness.of(seed, self.device)
        chunks = [self._chunk(randomness, first, min(CHUNK, count - first)) for first in range(0, count, CHUNK)]
        return torch.cat(chunks) if chunks else torch.empty(0, *self.data.shape)

    def energy(self, images: Float[Tensor, "count C H W"]) -> Float[Tensor, " count"]:
        """The energy of each image, low where the data is: in units of the run's energy, for its data range."""
        return self._through(images, lambda x: self.experiment.energy.read(self.discriminator, x).energy)

    def encode(self, images: Float[Tensor, "count C H W"]) -> Float[Tensor, "count features"]:
        """The layer below the energy: the code of an auto-encoder."""
        return self._through(images, lambda x: self.experiment.energy.features(self.discriminator, x))

    def reconstruct(self, images: Float[Tensor, "count C H W"]) -> Float[Tensor, "count C H W"]:
        """What the auto-encoder makes of images. Raises UsageError if the run's discriminator is none."""
        net = self.discriminator
        if not isinstance(net, Autoencoder):
            raise UsageError(f"{self.folder.path}: its discriminator is no auto-encoder and reconstructs nothing")
        return self._through(images, lambda x: self._from_limits(net(x)[1]))

    def classify(self, images: Float[Tensor, "count C H W"]) -> Float[Tensor, "count classes"]:
        """The probability of each class of the data. Raises UsageError if the run's discriminator tells none apart."""
        net = self.discriminator
        if not isinstance(net, Classifier):
            raise UsageError(f"{self.folder.path}: its discriminator tells no classes apart")
        return self._through(images, lambda x: net.classify(x).softmax(-1))

    def _chunk(self, randomness: Randomness, first: int, count: int) -> Tensor:
        sample = self.experiment.sampler.sample(self.generator, Moment(randomness, first, SAMPLING, count), _no_source)
        images = self._from_limits(sample.images).cpu()
        return images if self.experiment.data.limits is None else images.clamp(-1, 1)

    @torch.no_grad()
    def _through(self, images: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
        if images.dim() != 4 or tuple(images.shape[1:]) != self.data.shape:
            raise UsageError(
                f"images are {list(images.shape)}; expected [count, {', '.join(map(str, self.data.shape))}]"
            )
        chunks = torch.split(images.to(torch.float32), CHUNK)
        return torch.cat([function(self._to_limits(x.to(self.device))).cpu() for x in chunks])

    def _to_limits(self, images: Tensor) -> Tensor:
        if self.experiment.data.limits is None:
            return images
        low, high = self.experiment.data.limits
        return (images + 1) / 2 * (high - low) + low

    def _from_limits(self, images: Tensor) -> Tensor:
        if self.experiment.data.limits is None:
            return images
        low, high = self.experiment.data.limits
        return (images - low) / (high - low) * 2 - 1


def load(
    path: str | Path,
    *,
    best: bool = False,
    device: torch.device | str | None = None,
    precision: Precision = "fp32",
) -> Run:
    """The run in a folder with the weights of its newest checkpoint, or of the best one.

    Raises UsageError where there is no run and CheckpointError where there is no valid checkpoint.
    """
    folder = RunFolder(Path(path))
    if not folder.config.is_file():
        raise UsageError(f"{path}: no run here: expected a folder with a config.yaml, as `ebgan train` makes")
    experiment = read_experiment(folder.config)
    checkpoint = _checkpoint(folder, best)
    meta: dict[str, Any] = checkpoint.meta  # as the trainer wrote it, and the checksum vouches for
    data = DataFacts(tuple(meta["shape"]), tuple(meta["classes"]), meta["data"])
    run = assemble(experiment, folder, data, device or default_device(), precision)
    run.take(checkpoint.tensors)
    return run


def assemble(
    experiment: Experiment,
    folder: RunFolder,
    data: DataFacts,
    device: torch.device | str,
    precision: Precision = "fp32",
) -> Run:
    """A run whose nets, in evaluation mode, still wait for weights."""
    game, _ = build(replace(experiment, precision=precision), data.shape, device, len(data.classes))
    nets = game.generator.net.eval().requires_grad_(False), game.discriminator.net.eval().requires_grad_(False)
    return Run(experiment, folder, data, *nets, torch.device(device))


def _checkpoint(folder: RunFolder, best: bool) -> Checkpoint:
    if best:
        return read(folder.checkpoints / "best.ckpt")
    found = newest(folder.checkpoints)
    if found is None:
        raise CheckpointError(f"{folder.path}: no checkpoint yet; train on with the same command")
    return found[0]


def _no_source() -> Batch:
    raise UsageError("this run's samples start from images of the data: give some")
