"""Samples of a run refined by its energy, after training."""

from ebgan.runs.refinement.base import Refined, Refinement
from ebgan.runs.refinement.langevin import LatentLangevin
from ebgan.runs.refinement.ratio import EnergyRatio
from ebgan.runs.refinement.rejection import Rejection

__all__ = ["EnergyRatio", "LatentLangevin", "Refined", "Refinement", "Rejection"]
