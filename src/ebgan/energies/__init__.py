"""Energy functions: images -> Reading."""

from ebgan.energies.autoencoder import AutoencoderEnergy, reconstruction_error
from ebgan.energies.base import Energy
from ebgan.energies.logistic import LogisticEnergy

__all__ = ["AutoencoderEnergy", "Energy", "LogisticEnergy", "reconstruction_error"]
