"""Samples of a run refined by its energy, after training."""

from ebgan.runs.refinement.base import Refined, Refinement
from ebgan.runs.refinement.langevin import Langevin
from ebgan.runs.refinement.ratio import EnergyRatio
from ebgan.runs.refinement.rejection import Rejection

__all__ = ["EnergyRatio", "Langevin", "Refined", "Refinement", "Rejection"]
