"""The experiment: a tree of values, and what is built from it."""

from ebgan.experiment.data import Data, Labelled
from ebgan.experiment.registry import REGISTRY, parse_experiment, read_experiment, refuse_unkeepable
from ebgan.experiment.tree import Evaluation, Experiment, Nets, Optimisers, Precision

__all__ = [
    "REGISTRY",
    "Data",
    "Evaluation",
    "Experiment",
    "Labelled",
    "Nets",
    "Optimisers",
    "Precision",
    "parse_experiment",
    "read_experiment",
    "refuse_unkeepable",
]
