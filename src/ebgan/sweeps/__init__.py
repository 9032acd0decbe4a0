"""Sweeps: a grid of experiments, trained in stacks of models or one by one, with a row of results a trial."""

from ebgan.experiment.grid import Grid, Trial
from ebgan.sweeps.driver import Standing
from ebgan.sweeps.halving import Halving
from ebgan.sweeps.rows import Row
from ebgan.sweeps.run import sweep
from ebgan.sweeps.store import SweepStore
from ebgan.sweeps.training import Result

__all__ = ["Grid", "Halving", "Result", "Row", "Standing", "SweepStore", "Trial", "sweep"]
