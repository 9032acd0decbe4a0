"""What nets by class need of the other parts of an experiment, and of the data."""

from __future__ import annotations

from torch import nn

from ebgan.data import UNKNOWN, Dataset
from ebgan.errors import UsageError
from ebgan.experiment import Experiment
from ebgan.nets.base import ByClass
from ebgan.samplers import Prior


def refuse_class_misfits(experiment: Experiment, generator: nn.Module, discriminator: nn.Module) -> None:
    """Raise UsageError for a part that knows no classes beside one that needs them."""
    asks, name = experiment.objective.asks, type(experiment.objective).__name__
    makes, reads = isinstance(generator, ByClass), isinstance(discriminator, ByClass)
    if makes != reads:
        lacking, kind = ("discriminator", "ClassAutoencoder") if makes else ("generator", "ClassGenerator")
        raise UsageError(f"nets.{lacking}: has no classes, and the other net needs them: wrap it in {kind}")
    if asks.misnames and not reads:
        raise UsageError(
            f"objective: {name} needs nets by class: wrap nets.generator in ClassGenerator and nets.discriminator in "
            "ClassAutoencoder"
        )
    if reads and not isinstance(experiment.sampler, Prior):
        raise UsageError(
            f"sampler: {type(experiment.sampler).__name__} keeps no classes of what it shows to the discriminator: "
            "take Prior, or nets without classes"
        )
    if reads and asks.slopes:
        raise UsageError(f"objective: {name} takes slopes, which nets by class do not give: leave its penalties out")


def refuse_unnamed(experiment: Experiment, data: Dataset) -> None:
    """Raise UsageError for images without a class, if the objective reads them under other classes."""
    if experiment.objective.asks.misnames and data.labels is not None and UNKNOWN in data.labels:
        raise UsageError(
            f"{data.name}: the class of some images is not known, and {type(experiment.objective).__name__} needs "
            "that of each: leave these images out"
        )
