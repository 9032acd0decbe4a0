"""Energy functions: images -> Reading."""

from ebgan.energies.autoencoder import AutoencoderEnergy, reconstruction_error
from ebgan.energies.base import Energy
from ebgan.energies.experts import ExpertsEnergy
from ebgan.energies.ladder import LadderEnergy
from ebgan.energies.logistic import LogisticEnergy
from ebgan.energies.scalar import ScalarEnergy

__all__ = [
    "AutoencoderEnergy",
    "Energy",
    "ExpertsEnergy",
    "LadderEnergy",
    "LogisticEnergy",
    "ScalarEnergy",
    "reconstruction_error",
]
