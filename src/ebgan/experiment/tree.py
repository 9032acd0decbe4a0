"""The experiment: a frozen tree of all settings of a run, and their checks."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from ebgan import config
from ebgan.energies import AutoencoderEnergy, Energy
from ebgan.errors import UsageError, check_least, check_most
from ebgan.experiment.data import MOST_IN_BATCH, Data, Labelled
from ebgan.nets.base import DiscriminatorSpec, GeneratorSpec, check_spec
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import (
    EBGAN,
    Objective,
)
from ebgan.samplers import Prior, Sampler
from ebgan.training.fall import Fall
from ebgan.training.game import Turns
from ebgan.training.optim import Adam, OptimiserSpec
from ebgan.training.plateau import Plateau
from ebgan.tree_walk import Aspect, aside, asides, without

MOST_IMAGES = 10**15  # seen by a run, and between its checkpoints
MOST_SAMPLES = 10**7
MOST_IN_GRID = 2**14

Precision = Literal["fp32", "bf16", "fp64"]


@dataclass(frozen=True, kw_only=True)
class Nets:
    """The two nets."""

    generator: GeneratorSpec = MLPGenerator()
    discriminator: DiscriminatorSpec = MLPAutoencoder()

    def __post_init__(self) -> None:
        check_spec("nets.generator", self.generator, GeneratorSpec)
        check_spec("nets.discriminator", self.discriminator, DiscriminatorSpec)


@dataclass(frozen=True, kw_only=True)
class Optimisers:
    """The optimisers of the nets."""

    discriminator: OptimiserSpec = Adam(lr=1e-3)
    generator: OptimiserSpec = Adam(lr=1e-3)
    plateau: Plateau | None = None  # lowers both learning rates when the objective's `convergence` stalls
    fall: Fall = Fall()  # lowers both between two numbers of images seen


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What is measured during training; intervals are in images seen, and None is a tenth of the run.

    If `every` is None, evaluations during training compute only the quick metrics; those of the last and of the best
    weights, at the end, compute all.
    """

    samples: int = 2000  # samples for the metrics
    every: int | None = None  # between evaluations
    grid: int = 100  # samples drawn in each picture
    pictures: int | None = None  # between pictures

    def __post_init__(self) -> None:
        check_least("evaluation", 1, grid=self.grid, every=self.every, pictures=self.pictures)
        check_least("evaluation", 2, samples=self.samples)
        check_most("evaluation", MOST_SAMPLES, samples=self.samples)
        check_most("evaluation", MOST_IN_GRID, grid=self.grid)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """All settings of a run."""

    data: Data = Data()
    labelled: Labelled = Labelled()  # for objectives that learn classes
    nets: Nets = Nets()
    energy: Energy = AutoencoderEnergy()
    sampler: Sampler[Any] = Prior()
    objective: Objective[Any] = EBGAN()
    optimisers: Optimisers = Optimisers()
    turns: Turns = Turns()
    images: int = aside(600_000, "length")  # total of real images that the discriminator sees
    pretraining: int | None = 0  # of these, images before the generator's first turn; None is two epochs
    batch: int = 64  # images in a discriminator's turn, over all ranks
    precision: Precision | None = None  # of matrix products; None: by the machine and the nets (`experiment.precision`)
    accumulate: int = 1  # parts in which a batch passes the nets, to save memory; each then passes twice
    accumulate_norms: bool = False  # whether batch norm may use statistics per part
    seed: int = 0
    ema: int | None = None  # half-life, in images, of the average of the generator's weights that makes samples
    checkpoint: int | None = aside(None, "habit")  # images between checkpoints; None is a tenth of the run
    evaluation: Evaluation = aside(Evaluation(), "habit")

    def __post_init__(self) -> None:
        check_least("", 1, images=self.images, batch=self.batch, checkpoint=self.checkpoint, ema=self.ema)
        check_least("", 1, accumulate=self.accumulate)
        check_most("", MOST_IMAGES, images=self.images, pretraining=self.pretraining, ema=self.ema)
        check_most("", MOST_IN_BATCH, batch=self.batch)
        check_most("", self.batch, accumulate=self.accumulate)
        if isinstance(self.seed, bool | float | str):  # a stack's is a tensor
            raise UsageError(f"seed={self.seed!r}: expected a whole number")
        check_least("", 0, pretraining=self.pretraining)
        if self.objective.asks.pretrained and self.pretraining == 0:
            raise UsageError(
                f"pretraining=0: {type(self.objective).__name__} starts from a discriminator that was trained on data "
                "alone: set pretraining to some epochs' images"
            )
        if self.optimisers.plateau and not self.objective.asks.convergence:
            raise UsageError(
                f"optimisers.plateau: {type(self.objective).__name__} has no measure of convergence that could stall: "
                "take BEGAN or MAGAN, or plateau=None and a decay of each optimiser"
            )
        self._check_data()
        self._check_passes()
        if missing := self.objective.asks.needs - self.energy.gives:
            raise UsageError(
                f"objective: {type(self.objective).__name__} needs an energy with {_said(missing)}; "
                f"{type(self.energy).__name__} has none: {_mend(missing)}"
            )
        if self.objective.asks.conditional and not self.sampler.conditional:
            raise UsageError(
                f"objective: {type(self.objective).__name__} needs samples that start from images; those of "
                f"{type(self.sampler).__name__} do not: use Transition as sampler, with MLPTransition as nets.generator"
            )

    @property
    def from_data(self) -> tuple[str, ...]:
        """The names of the fields that are None and are filled from the data before training."""
        fields = tuple(f"objective.{name}" for name in self.objective.asks.from_data)
        return (*fields, "pretraining") if self.pretraining is None else fields

    def _check_data(self) -> None:
        """Raise UsageError if the objective cannot learn from the data as it is served."""
        if self.objective.asks.classifies and (self.data.crop or self.data.flip):
            raise UsageError(
                f"data.crop, data.flip: {type(self.objective).__name__} reads labelled images whole: leave both "
                "out, or pack a set that is cropped"
            )
        if self.objective.asks.draws and self.data.limits != (-1.0, 1.0):
            raise UsageError(
                f"data.limits={self.data.limits}: {type(self.objective).__name__} changes pictures whose grey is 0: "
                "give --data.limits -1 1, or take another objective for points"
            )
        if self.objective.asks.limits not in (None, self.data.limits):
            raise UsageError(
                f"data.limits={self.data.limits}: {type(self.objective).__name__} reads pixels as probabilities here, "
                'from 0 to 1: give --data.limits 0 1, or objective.reconstruction="squared"'
            )

    def _check_passes(self) -> None:
        """Raise UsageError if a batch cannot pass the nets in parts."""
        double = f"{type(self.objective).__name__} takes the gradient of a gradient"
        if self.accumulate > 1 and self.objective.asks.slopes:
            raise UsageError(f"accumulate={self.accumulate}: {double}, for which a batch passes whole: choose 1")

    def to_yaml(self) -> str:
        """The text of config.yaml."""
        return config.to_yaml(self)

    @property
    def hash(self) -> str:
        """Sixteen hex digits that differ for experiments that compute different things or end at different images."""
        return self._digest("habit")

    @property
    def steps_hash(self) -> str:
        """A hash that is equal for experiments whose steps compute the same on the same data.

        The path and the length of the run make no difference; data is compared by its checksum.
        """
        return self._digest("habit", "length", "place")

    def _digest(self, *left_out: Aspect) -> str:
        """The hash of the JSON text with sorted keys, which is written six times as fast as YAML."""
        tree = config.plain(self)
        for path, aspect in asides(Experiment).items():
            tree = without(tree, path) if aspect in left_out else tree
        text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _said(missing: frozenset[str]) -> str:
    return " and ".join("a floor of 0" if each == "floor" else each for each in sorted(missing))


def _mend(missing: frozenset[str]) -> str:
    if "floor" in missing:
        return "use the scalar energy with nonnegative=True, or real_weight=0.0, or the data's energy falls for ever"
    if "experts" in missing:
        return "use the experts' energy (ExpertsEnergy) with MLPExperts as nets.discriminator"
    return "use the auto-encoder energy or pulling_away=None" if "code" in missing else "use the logistic energy"
