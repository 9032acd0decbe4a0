"""Samplers: generator and moment -> Sample."""

from ebgan.samplers.base import Moment, Sampler
from ebgan.samplers.prior import Prior

__all__ = ["Moment", "Prior", "Sampler"]
