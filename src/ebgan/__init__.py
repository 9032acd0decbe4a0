"""Energy-based generative adversarial networks.

    run = ebgan.load("runs/digits")
    images = run.sample(64, seed=0)                # [64, C, H, W] in [-1, 1]
    run = ebgan.train(Experiment(), "runs/mine")   # ebgan.experiment.Experiment
    detector = ebgan.EnergyAnomalyDetector().fit(rows)

The parts stand alone: `ebgan.objectives`, `ebgan.energies`, `ebgan.nets`, `ebgan.training.step`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ebgan.detection.estimator import EnergyAnomalyDetector
    from ebgan.experiment import Experiment
    from ebgan.runs.augment import TransitionAugment
    from ebgan.runs.by_class import of_class
    from ebgan.runs.history import run_records
    from ebgan.runs.loading import load
    from ebgan.runs.refinement import LatentLangevin, Rejection
    from ebgan.runs.run import Run
    from ebgan.runs.sharing.hub import from_pretrained
    from ebgan.runs.trainer import train

    __version__: str

__all__ = [
    "EnergyAnomalyDetector",
    "Experiment",
    "LatentLangevin",
    "Rejection",
    "Run",
    "TransitionAugment",
    "from_pretrained",
    "load",
    "of_class",
    "run_records",
    "train",
]

_HOMES = {
    "EnergyAnomalyDetector": "detection.estimator",
    "Experiment": "experiment",
    "LatentLangevin": "runs.refinement",
    "Rejection": "runs.refinement",
    "Run": "runs.run",
    "TransitionAugment": "runs.augment",
    "from_pretrained": "runs.sharing.hub",
    "load": "runs.loading",
    "of_class": "runs.by_class",
    "run_records": "runs.history",
    "train": "runs.trainer",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: the command line is quick to answer without torch."""
    if name == "__version__":
        from importlib.metadata import version

        return version("ebgan")
    if name not in _HOMES:
        raise AttributeError(f"module 'ebgan' has no attribute {name!r}")
    return getattr(import_module(f"ebgan.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The names that are there, imported or not."""
    return sorted({*globals(), *__all__, "__version__"})
