"""Nets and their specs; they compute images and codes, and do not depend on energies or losses."""

from ebgan.nets.base import DiscriminatorSpec, GeneratorSpec
from ebgan.nets.began import BEGANAutoencoder, BEGANGenerator
from ebgan.nets.bottleneck import BottleneckAutoencoder
from ebgan.nets.by_class import ClassAutoencoder, ClassGenerator
from ebgan.nets.class_head import ClassHead
from ebgan.nets.dcgan import ConvAutoencoder, ConvDiscriminator, ConvGenerator
from ebgan.nets.imagenet import NoisyGenerator
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.nets.spherical import SphericalAutoencoder
from ebgan.nets.vgan import VGANDiscriminator, VGANExperts, VGANGenerator, VGANTransition

__all__ = [
    "BEGANAutoencoder",
    "BEGANGenerator",
    "BottleneckAutoencoder",
    "ClassAutoencoder",
    "ClassGenerator",
    "ClassHead",
    "ConvAutoencoder",
    "ConvDiscriminator",
    "ConvGenerator",
    "DiscriminatorSpec",
    "GeneratorSpec",
    "Ladder",
    "MLPAutoencoder",
    "MLPDiscriminator",
    "MLPExperts",
    "MLPGenerator",
    "MLPTransition",
    "NoisyGenerator",
    "SphericalAutoencoder",
    "VGANDiscriminator",
    "VGANExperts",
    "VGANGenerator",
    "VGANTransition",
]
