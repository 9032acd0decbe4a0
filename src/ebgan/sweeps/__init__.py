"""Sweeps: a grid of experiments, trained in stacks of models or one by one, with a row of results a trial."""

from ebgan.sweeps.grid import Grid, Trial

__all__ = ["Grid", "Trial"]
