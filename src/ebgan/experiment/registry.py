"""The project's classes that a config may name, and the reader of configs.

Classes from outside the project are found by `foreign`. A name read from a file is never imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ebgan import config
from ebgan.energies import AutoencoderEnergy, ExpertsEnergy, LadderEnergy, LogisticEnergy, ScalarEnergy
from ebgan.errors import UsageError
from ebgan.experiment.foreign import find_class, foreign_classes
from ebgan.experiment.tree import Experiment
from ebgan.nets.began import BEGANAutoencoder, BEGANGenerator
from ebgan.nets.bottleneck import BottleneckAutoencoder
from ebgan.nets.by_class import ClassAutoencoder, ClassGenerator
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
    MAGAN,
    VCD,
    VGAN,
    WGANGP,
    Augmentation,
    ClassConditional,
    LeastSquaresGAN,
    LeCam,
    LossSensitiveGAN,
    Regularised,
    Relativistic,
    Scheduled,
    SemiSupervised,
)
from ebgan.samplers import Noised, Prior, Replay, Transition
from ebgan.schedules import Constant, Linear, Steps
from ebgan.storage.runfolder import RunFolder
from ebgan.training.adadelta import Adadelta
from ebgan.training.adamax import Adamax
from ebgan.training.optim import SGD, Adam

REGISTRY: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *(MLPGenerator, MLPTransition, MLPAutoencoder, MLPDiscriminator, MLPExperts, Ladder, ClassHead),
        *(BottleneckAutoencoder, ClassGenerator, ClassAutoencoder),
        *(ConvGenerator, ConvAutoencoder, ConvDiscriminator, NoisyGenerator, BEGANGenerator, BEGANAutoencoder),
        *(VGANGenerator, VGANTransition, VGANExperts, VGANDiscriminator),
        *(AutoencoderEnergy, LogisticEnergy, ScalarEnergy, ExpertsEnergy, LadderEnergy),
        *(Prior, Transition, Replay, Noised),
        *(EBGAN, BEGAN, MAGAN, LossSensitiveGAN, VGAN, VCD, GAN, LeastSquaresGAN, WGANGP, Relativistic),
        *(Scheduled, SemiSupervised, Regularised, Augmentation, LeCam, ClassConditional),
        *(Adam, Adamax, Adadelta, SGD, Constant, Linear, Steps),
    )
}

_KEPT = (
    "Classes of your own are frozen dataclasses, whose fields are int, float, str, bool, None, Literal, tuples of "
    "these, or such dataclasses"
)


def read_experiment(path: Path) -> Experiment:
    """The experiment of a config.yaml. Raises UsageError that names file, line and key of an error."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as a config: {error}") from error
    return parse_experiment(text, str(path), RunFolder(path.parent).code_files)


def parse_experiment(text: str, file: str, code: Callable[[], Sequence[str]] = tuple) -> Experiment:
    """The experiment of a text, named `file` in errors.

    `code` gives the names of the files that define the run's classes. They are only shown to the user if a class is
    missing.
    """

    def find(name: str, declared: type) -> type | None:
        try:
            return find_class(name, declared)
        except UsageError as error:
            files = ", ".join(code())
            raise UsageError(f"{error}{files and f'. The run was made from {files}'}") from error

    experiment: Experiment = config.from_yaml(text, Experiment, REGISTRY, file, find)
    return experiment


def refuse_unkeepable(experiment: Experiment) -> None:
    """Raise UsageError that names the first field, of a class of the user's own for instance, that YAML cannot keep."""
    try:
        odd, foreign = _odd_field(config.plain(experiment), ""), foreign_classes(experiment)
    except (NameError, TypeError, AttributeError) as error:  # from looking up the types of fields
        raise UsageError(f"the type of a field of a class of your own cannot be found: {error}") from error
    if odd:
        raise UsageError(f"{odd}. {_KEPT}")
    if not foreign:
        return
    try:
        again = parse_experiment(experiment.to_yaml(), "config.yaml")
    except UsageError as error:
        raise UsageError(f"{error}. {_KEPT}") from error
    for name, value in vars(experiment).items():
        if getattr(again, name) != value:
            raise UsageError(
                f"{name}: {value} would be read back from config.yaml as {getattr(again, name)}: give each field a "
                "value of its declared type, and each class a name of its own"
            )


def _odd_field(plain: Any, path: str) -> str:
    """The path and type of the first value that YAML cannot hold, or ""."""
    if isinstance(plain, dict | list):
        parts = plain.items() if isinstance(plain, dict) else enumerate(plain)
        return next(filter(None, (_odd_field(value, f"{path}.{name}".lstrip(".")) for name, value in parts)), "")
    fits = type(plain) in (str, int, float, bool, type(None))
    return "" if fits else f"{path}: a config.yaml cannot hold a {type(plain).__name__}"
