"""Find a margin for a data set, as in appendix E of the EBGAN paper.

The discriminator's loss E(x) + [m - E(G(z))]_+ is balanced if its two terms have a similar range. The hinge's range is
[0, m]. The range of E(x) is found by training the auto-encoder without a generator: E(x) begins at the energy of an
output of zeros, passes that of the mean image, and ends at the energy of the trained net. A margin between the last two
can be reached by samples, and separates them from data. For MNIST the paper's 10 lies between about 2 and 14.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ebgan.data import Dataset, scaled
from ebgan.energies import AutoencoderEnergy, reconstruction_error
from ebgan.errors import UsageError
from ebgan.experiment import Experiment
from ebgan.experiment.starting import start
from ebgan.nets.class_head import ClassHead
from ebgan.objectives.wrapper import innermost
from ebgan.storage.runfolder import Record
from ebgan.training.recorder import Recorder

POINTS = 20  # points of the energy curve
SETTLED = 0.02  # the energy has converged if it fell by less than this share over the last tenth of the curve
LEARNED = 0.9  # share of the mean image's energy below which the net has learned more than the mean image
STATISTICS = 10_000  # most images used for the energies of constant outputs
NUMBERS = 1 << 27  # most pixels times channels of these, so that fewer large images are used


@dataclass(frozen=True)
class Calibration:
    """The energies of an auto-encoder trained without a generator."""

    curve: list[tuple[int, float]]  # images seen, mean energy of the data
    zero_output: float  # mean energy if the output is 0 everywhere: that of an untrained net
    mean_image: float  # mean energy if the output is the mean image

    @property
    def reached(self) -> float:
        """The energy at the end of the curve."""
        return self.curve[-1][1]

    @property
    def learned(self) -> bool:
        """Whether the energy fell clearly below that of the mean image."""
        return self.reached < LEARNED * self.mean_image

    @property
    def settled(self) -> bool:
        """Whether it did, and has converged."""
        before = self.curve[-1 - max(len(self.curve) // 10, 1)][1] if len(self.curve) > 1 else float("inf")
        return self.learned and before - self.reached < SETTLED * before

    @property
    def margin(self) -> float:
        """Halfway between the energy of the trained net and that of the mean image, to two digits."""
        return float(f"{(self.reached + self.mean_image) / 2:.2g}")


def calibrate(
    experiment: Experiment,
    data: Dataset,
    *,
    device: torch.device | str = "cpu",
    report: Callable[[Record], Any] = lambda _: None,
) -> Calibration:
    """Train an experiment's auto-encoder without a generator on `data`, for the experiment's number of images.

    `report` is called with each point of the curve. Raises UsageError if the energy is not an auto-encoder's.
    """
    if not isinstance(experiment.energy, AutoencoderEnergy):
        raise UsageError(
            f"calibrate: {type(experiment.energy).__name__} has no margin: choose a recipe with an auto-encoder"
        )
    recorder, images = Recorder(), experiment.images
    curve: list[tuple[int, float]] = []
    for before, seen, outcome in start(_alone(experiment), data, device).steps(images):
        recorder.add(seen, outcome)
        if seen * POINTS // images > before * POINTS // images:
            recorder.check()
            recorder.close(seen)
            record = recorder.take() or {}
            curve.append((seen, record["energy_real"]))
            report(record)
    zero, mean = constant_outputs(data, experiment.energy, experiment.data.limits)
    return Calibration(curve, zero, mean)


def _alone(experiment: Experiment) -> Experiment:
    """The experiment without classes and without turns of the generator.

    Fields that are None get placeholders, which are not used; pretraining lasts for the whole run.
    """
    objective: Any = innermost(experiment.objective)
    given = replace(objective, **dict.fromkeys(objective.asks.from_data, 1))
    nets, net = experiment.nets, experiment.nets.discriminator
    if isinstance(net, ClassHead):
        nets = replace(nets, discriminator=net.net)
    return replace(experiment, objective=given, nets=nets, pretraining=experiment.images + experiment.batch, ema=None)


def constant_outputs(
    data: Dataset, energy: AutoencoderEnergy, limits: tuple[float, float] | None
) -> tuple[float, float]:
    """The mean energies of outputs of zeros and of the mean image."""
    count = min(len(data), STATISTICS, max(1, NUMBERS // data.images[0].size))
    images = scaled(torch.tensor(data.images[:: -(-len(data) // count)]), limits)

    def energy_of(output: Tensor) -> float:
        return float(reconstruction_error(energy.unit, output.expand_as(images), images).mean())

    return energy_of(torch.zeros_like(images[:1])), energy_of(images.mean(0, keepdim=True))
