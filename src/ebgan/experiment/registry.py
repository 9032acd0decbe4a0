"""The closed registry of the classes that a config may name, and the reader of configs.

No name read from a file reaches an importer.
"""

from __future__ import annotations

from pathlib import Path

from ebgan import config
from ebgan.energies import AutoencoderEnergy, ExpertsEnergy, LadderEnergy, LogisticEnergy, ScalarEnergy
from ebgan.errors import UsageError
from ebgan.experiment.tree import Experiment
from ebgan.nets.began import BEGANAutoencoder, BEGANGenerator
from ebgan.nets.bottleneck import BottleneckAutoencoder
from ebgan.nets.class_head import ClassHead
from ebgan.nets.dcgan import ConvAutoencoder, ConvDiscriminator, ConvGenerator
from ebgan.nets.imagenet import NoisyGenerator
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator, MLPExperts, MLPGenerator
from ebgan.nets.mlp_transition import MLPTransition
from ebgan.nets.vgan import VGANDiscriminator, VGANExperts, VGANGenerator, VGANTransition
from ebgan.objectives import (
    BEGAN,
    EBGAN,
    GAN,
    LSGAN,
    MAGAN,
    VCD,
    VGAN,
    WGANGP,
    LeastSquaresGAN,
    Scheduled,
    SemiSupervised,
)
from ebgan.samplers import Noised, Prior, Replay, Transition
from ebgan.schedules import Constant, Linear, Steps
from ebgan.training.adadelta import Adadelta
from ebgan.training.adamax import Adamax
from ebgan.training.optim import SGD, Adam

REGISTRY: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *(MLPGenerator, MLPTransition, MLPAutoencoder, MLPDiscriminator, MLPExperts, Ladder, ClassHead),
        BottleneckAutoencoder,
        *(ConvGenerator, ConvAutoencoder, ConvDiscriminator, NoisyGenerator, BEGANGenerator, BEGANAutoencoder),
        *(VGANGenerator, VGANTransition, VGANExperts, VGANDiscriminator),
        *(AutoencoderEnergy, LogisticEnergy, ScalarEnergy, ExpertsEnergy, LadderEnergy),
        *(Prior, Transition, Replay, Noised),
        *(EBGAN, BEGAN, MAGAN, LSGAN, VGAN, VCD, GAN, LeastSquaresGAN, WGANGP, Scheduled, SemiSupervised),
        *(Adam, Adamax, Adadelta, SGD, Constant, Linear, Steps),
    )
}


def read_experiment(path: Path) -> Experiment:
    """The experiment of a config.yaml. Raises UsageError that names file, line and key of what does not fit."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as a config: {error}") from error
    experiment: Experiment = config.from_yaml(text, Experiment, REGISTRY, str(path))
    return experiment


def unregistered(experiment: Experiment) -> list[str]:
    """The classes in an experiment that a config.yaml cannot name, because they are not in REGISTRY.

    Raises UsageError for one whose name there is another class's, as which it would be read back.
    """
    found = []
    for kind in dict.fromkeys(config.kinds(experiment)):
        known = REGISTRY.get(kind.__name__)
        if known is not None and known is not kind:
            raise UsageError(
                f"{kind.__name__}: a class of {kind.__module__}, whose name in config.yaml means that of "
                f"{known.__module__}: rename it"
            )
        if known is None:
            found.append(kind.__name__)
    return found
