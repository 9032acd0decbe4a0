"""Samplers: generator and moment -> Sample."""

from ebgan.samplers.base import Moment, Sampler, no_source
from ebgan.samplers.prior import Prior
from ebgan.samplers.transition import Transition

__all__ = ["Moment", "Prior", "Sampler", "Transition", "no_source"]
