"""Samplers: (generator, DrawKey) -> Sample."""

from ebgan.samplers.base import CurrentEnergy, DrawKey, Memoryless, Sampler, no_source
from ebgan.samplers.langevin import Langevin
from ebgan.samplers.noised import Noised
from ebgan.samplers.prior import Prior
from ebgan.samplers.replay import Replay
from ebgan.samplers.transition import Transition

__all__ = [
    "CurrentEnergy",
    "DrawKey",
    "Langevin",
    "Memoryless",
    "Noised",
    "Prior",
    "Replay",
    "Sampler",
    "Transition",
    "no_source",
]
