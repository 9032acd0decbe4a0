"""A margin from the data: appendix E of the EBGAN paper as a tool.

The discriminator's loss E(x) + [m - E(G(z))]_+ is balanced when its two terms have a similar range. The hinge's is
[0, m]; that of E(x) shows when the auto-encoder is trained alone: it begins at the energy of an output of zeros, passes
that of the mean image, which knows nothing of the single one, and ends at what the net can fit. A margin between the
last two is within reach and means something. The paper's 10 for MNIST lies between about 2 and 14.
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

POINTS = 20  # of the energy curve
SETTLED = 0.02  # relative fall over the last tenth of the curve under which the energy has converged
LEARNED = 0.9  # of the energy of the mean image, on which training rests for a while at first
STATISTICS = 10_000  # images, at most, that the energies of constant outputs are taken over
NUMBERS = 1 << 27  # pixels and channels of these, at most: of large images there are fewer


@dataclass(frozen=True)
class Calibration:
    """What the auto-encoder does alone, in units of its energy."""

    curve: list[tuple[int, float]]  # images seen, mean energy of the data
    zero_output: float  # mean energy if the output is 0 everywhere: that of an untrained net
    mean_image: float  # mean energy if the output is the mean image

    @property
    def reached(self) -> float:
        """The energy at the end of the curve."""
        return self.curve[-1][1]

    @property
    def learned(self) -> bool:
        """Whether the energy left that of the mean image behind."""
        return self.reached < LEARNED * self.mean_image

    @property
    def settled(self) -> bool:
        """Whether it did, and hardly fell over the last tenth of the curve."""
        before = self.curve[-1 - max(len(self.curve) // 10, 1)][1] if len(self.curve) > 1 else float("inf")
        return self.learned and before - self.reached < SETTLED * before

    @property
    def margin(self) -> float:
        """Halfway between the energy that was reached and that of the mean image, to two digits."""
        return float(f"{(self.reached + self.mean_image) / 2:.2g}")


def calibrate(
    experiment: Experiment,
    data: Dataset,
    *,
    device: torch.device | str = "cpu",
    report: Callable[[Record], Any] = lambda _: None,
) -> Calibration:
    """Train an experiment's auto-encoder alone on `data` for its number of images and take the energies on the way.

    `report` hears of each point of the curve. Raises UsageError for an energy that is not an auto-encoder's.
    """
    if not isinstance(experiment.energy, AutoencoderEnergy):
        raise UsageError(f"calibrate: {type(experiment.energy).__name__} has no margin; take an auto-encoder's recipe")
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

    The fields that wait for the data hold numbers, which no turn reads; the pretraining does not end.
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
