"""Sweeps: train a grid of experiments, in stacks of models or one by one, with one row of results per trial."""

from ebgan.experiment.grid import Grid, Trial
from ebgan.sweeps.driver import Standing
from ebgan.sweeps.halving import Halving
from ebgan.sweeps.rows import Row
from ebgan.sweeps.run import sweep
from ebgan.sweeps.store import SweepStore
from ebgan.sweeps.training import Result

__all__ = ["Grid", "Halving", "Result", "Row", "Standing", "SweepStore", "Trial", "sweep"]
