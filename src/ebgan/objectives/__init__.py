"""Adversarial objectives: readings -> losses, and a state that moves."""

from ebgan.objectives.augmentation import Augmentation
from ebgan.objectives.base import Objective, Place, Stateless
from ebgan.objectives.began import BEGAN
from ebgan.objectives.class_conditional import ClassConditional
from ebgan.objectives.ebgan import EBGAN
from ebgan.objectives.gan import GAN
from ebgan.objectives.least_squares import LeastSquaresGAN
from ebgan.objectives.lecam import LeCam
from ebgan.objectives.loss_sensitive import LossSensitiveGAN
from ebgan.objectives.magan import MAGAN
from ebgan.objectives.nae import NAE
from ebgan.objectives.regularised import Regularised
from ebgan.objectives.relativistic import Relativistic
from ebgan.objectives.scheduled import Scheduled
from ebgan.objectives.semisupervised import SemiSupervised
from ebgan.objectives.vcd import VCD
from ebgan.objectives.vgan import VGAN
from ebgan.objectives.wgan_gp import WGANGP

__all__ = [
    "BEGAN",
    "EBGAN",
    "GAN",
    "MAGAN",
    "NAE",
    "VCD",
    "VGAN",
    "WGANGP",
    "Augmentation",
    "ClassConditional",
    "LeCam",
    "LeastSquaresGAN",
    "LossSensitiveGAN",
    "Objective",
    "Place",
    "Regularised",
    "Relativistic",
    "Scheduled",
    "SemiSupervised",
    "Stateless",
]
